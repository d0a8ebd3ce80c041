package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/shophand/shophand/core/host"
)

// answerTimeout is how long a command waits for the host's answer.
const answerTimeout = 30 * time.Second

// client speaks to the API of the host that runs on the data folder. Where none runs, it opens the folder
// itself and asks the same API there.
type client struct {
	base  string
	token string
	http  *http.Client
	close func() error
}

// dial returns a client. Where the folder was opened for it, nothing in the folder is at work: no webhook is
// taken, no run goes on.
func (a *app) dial(ctx context.Context) (*client, error) {
	running, err := host.Find(a.settings.Data)
	if err != nil {
		return nil, err
	}
	if running != nil {
		token := a.settings.AdminToken.Reveal()
		if token == "" {
			token = running.Token.Reveal()
		}
		return &client{base: running.URL, token: token, http: &http.Client{Timeout: answerTimeout}, close: func() error { return nil }}, nil
	}
	h, err := a.newHost(hostOptions{passive: true})
	if err != nil {
		return nil, err
	}
	return &client{
		base: "http://shophand", token: h.AdminToken().Reveal(), http: &http.Client{Transport: inProcess{h.Handler()}},
		close: func() error { return h.Close(ctx) },
	}, nil
}

// inProcess carries requests to a handler of this process.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// apiError is an error that the API answered.
type apiError struct {
	Status   int
	Message  string
	Findings []finding
}

type finding struct {
	Text    string `json:"text"`
	Warning bool   `json:"warning"`
}

func (e *apiError) Error() string { return e.Message }

// do sends a request and decodes the answer into out, if that is not nil.
func (c *client) do(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	address := c.base + "/api/v1" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("the host does not answer: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("reading the host's answer: %w", err)
	}
	if resp.StatusCode >= 300 {
		return decodeError(resp.StatusCode, raw)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

func decodeError(status int, raw []byte) error {
	var answer struct {
		Error struct {
			Message  string    `json:"message"`
			Findings []finding `json:"findings"`
		} `json:"error"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Error.Message == "" {
		return fmt.Errorf("the host answered %d: %s", status, strings.TrimSpace(string(raw[:min(len(raw), 300)])))
	}
	if status == http.StatusUnauthorized {
		return errors.New("the host refuses the admin token: set SHOPHAND_ADMIN_TOKEN as it is set for `shophand serve`")
	}
	return &apiError{Status: status, Message: answer.Error.Message, Findings: answer.Error.Findings}
}

// call runs f with a client.
func (a *app) call(ctx context.Context, f func(*client) error) error {
	c, err := a.dial(ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.close())
}
