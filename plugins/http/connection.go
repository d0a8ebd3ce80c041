package http

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shophand/shophand/sdk"
)

// Config is a connection: what requests carry without standing in a flow. All of it is optional.
type Config struct {
	BaseURL string                `json:"base_url,omitempty" jsonschema:"address that a url which starts with / is put behind; the headers go to its host only"`
	Headers map[string]sdk.Secret `json:"headers,omitempty" jsonschema:"headers of every request, such as Authorization; kept secret; a step's own header of the same name comes before"`
}

// JSONSchema marks all of the headers as secret, names included.
func (Config) JSONSchema(s *jsonschema.Schema) { s.Properties["headers"].WriteOnly = true }

// connection is a checked Config.
type connection struct {
	base   *url.URL // nil where there is none
	header http.Header
	// hide replaces the secrets in what a server sent back; nil where there are none.
	hide *strings.Replacer
}

func newConnection(c Config) (connection, error) {
	var out connection
	if c.BaseURL != "" {
		u, err := parseAddress(c.BaseURL)
		if err != nil {
			return connection{}, fmt.Errorf("base_url %w", err)
		}
		if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
			return connection{}, errors.New("base_url has a query or a fragment; give only what comes before")
		}
		u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
		out.base = u
	}
	if len(c.Headers) == 0 {
		return out, nil
	}
	plain := make(map[string]string, len(c.Headers))
	var secrets []string
	for name, value := range c.Headers {
		plain[name] = value.Reveal()
		secrets = append(secrets, forms(value.Reveal())...)
	}
	var err error
	if out.header, err = newHeader(plain); err != nil {
		return connection{}, err
	}
	out.hide = strings.NewReplacer(secrets...)
	return out, nil
}

// minSecret is the length below which text is too common to be hidden.
const minSecret = 6

// forms lists how a secret may come back from a server that repeats what it was sent, each with what stands
// in its place: as it is, without a scheme such as Bearer, and either as JSON text.
func forms(secret string) []string {
	var out []string
	candidates := []string{secret}
	if _, credentials, ok := strings.Cut(secret, " "); ok {
		candidates = append(candidates, strings.TrimSpace(credentials))
	}
	for _, c := range candidates {
		if len(c) < minSecret {
			continue
		}
		out = append(out, c, "***")
		if quoted, err := json.Marshal(c); err == nil && len(quoted) != len(c)+2 {
			out = append(out, string(quoted[1:len(quoted)-1]), "***")
		}
	}
	return out
}

// hidden returns text from a server without the connection's secrets.
func (c connection) hidden(s string) string {
	if c.hide == nil {
		return s
	}
	return c.hide.Replace(s)
}

// resolve returns the address of a request. Where there is no base address, it must be whole.
func (c connection) resolve(address string) (*url.URL, error) {
	if !strings.HasPrefix(address, "/") {
		u, err := parseAddress(address)
		if err != nil {
			return nil, fmt.Errorf("url %w", err)
		}
		return u, nil
	}
	if c.base == nil {
		return nil, errors.New("url starts with /, which needs a connection with a base_url; give the whole address, such as https://example.com/path")
	}
	if strings.HasPrefix(address, "//") {
		return nil, errors.New("url starts with //; give the whole address, or a path behind the connection's base_url with one /")
	}
	u, err := parseAddress(c.base.String() + address)
	if err != nil {
		return nil, fmt.Errorf("url behind the connection's base_url %w", err)
	}
	return u, nil
}

// covers tells whether the connection's headers may go to an address: to the host of the base address, or
// anywhere where there is none.
func (c connection) covers(u *url.URL) bool { return c.base == nil || sameHost(c.base, u) }
