package klaviyo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

const (
	// revision is the version of the API that all requests are written for; Klaviyo serves it for two years
	// (https://developers.klaviyo.com/en/docs/api_versioning_and_deprecation_policy).
	revision = "2026-07-15"
	// mediaType is that of JSON:API, the only one in the contract.
	mediaType = "application/vnd.api+json"
	// maxAnswer bounds what is read of an answer. A profile is 100 KB at most.
	maxAnswer = 1 << 20
)

// client sends requests to Klaviyo. It is safe for concurrent use.
type client struct{ http *http.Client }

// document is a JSON:API document that holds one resource.
type document struct {
	Data resource `json:"data"`
}

type resource struct {
	Type       string `json:"type"`
	ID         string `json:"id,omitempty"`
	Attributes any    `json:"attributes"`
}

// post sends doc and returns the answer's status, which is one of expected; every other answer is a failure of
// its kind. Where into is not nil the answer is decoded into it, else it is not looked at.
func (c *client) post(ctx context.Context, config Config, path string, doc document, into any, expected ...int) (int, error) {
	base, err := config.endpoint()
	if err != nil {
		return 0, err
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return 0, fmt.Errorf("encoding the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Authorization", "Klaviyo-API-Key "+config.APIKey.Reveal())
	req.Header.Set("Revision", revision)
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Accept", mediaType)
	req.Header.Set("User-Agent", "shophand-klaviyo/"+version)

	hide := strings.NewReplacer(config.APIKey.Reveal(), "***").Replace
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, unreachable(req.URL.Host, err, hide)
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
		_ = resp.Body.Close()
	}()
	if !slices.Contains(expected, resp.StatusCode) {
		return resp.StatusCode, failed(resp, hide)
	}
	if into == nil {
		return resp.StatusCode, nil
	}
	raw, err := readAnswer(resp.Body)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return resp.StatusCode, notKlaviyo(resp, err, hide)
	}
	return resp.StatusCode, nil
}

// readAnswer reads a whole answer of bounded size.
func readAnswer(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("it has more than %d bytes", maxAnswer)
	}
	return raw, nil
}
