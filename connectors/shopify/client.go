package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

// maxAnswer bounds the answer of the Admin API to one operation.
const maxAnswer = 4 << 20

// access is where a call goes and with what token.
type access struct {
	base  string // scheme and host
	token string
}

// userError is one reason for which Shopify refused a mutation that it understood.
type userError struct {
	Field   []string `json:"field"`
	Message string   `json:"message"`
}

// graphQLError is one entry of errors[]: the operation, or a part of it, was not carried out.
type graphQLError struct {
	Message    string `json:"message"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// cost is what Shopify says of the rate limit: points that the operation asks for, that the bucket holds, and
// that flow into it each second.
type cost struct {
	Requested float64 `json:"requestedQueryCost"`
	Throttle  struct {
		Maximum   float64 `json:"maximumAvailable"`
		Available float64 `json:"currentlyAvailable"`
		Restore   float64 `json:"restoreRate"`
	} `json:"throttleStatus"`
}

// query carries out one operation and decodes its data. Its errors tell the host what to do next; a mutation's
// userErrors are in data, and the caller's to read.
func (c *Connector) query(ctx context.Context, a access, document string, variables map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return fmt.Errorf("encoding an operation of the Admin API: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/admin/api/"+c.version+"/graphql.json", bytes.NewReader(body))
	if err != nil {
		return refuse(wire.InvalidInput, "calling Shopify: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Shophand")
	req.Header.Set("X-Shopify-Access-Token", a.token)
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, safehttp.ErrPrivateAddress):
		return refuse(wire.InvalidInput, "calling Shopify: %w", err)
	case err != nil:
		return unavailable("calling Shopify: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return unavailable("reading Shopify's answer: %w", err)
	}
	if len(answer) > maxAnswer {
		return refuse(wire.Unavailable, "Shopify's answer has more than %d bytes", maxAnswer)
	}
	if resp.StatusCode != http.StatusOK {
		return statusFailure(resp, answer)
	}
	if v := resp.Header.Get(headerVersion); v != "" && v != c.version {
		c.log.Warn("shopify answers in another API version than asked for; upgrade before it changes what is meant", "asked", c.version, "answered", v)
	}
	var out struct {
		Data       json.RawMessage `json:"data"`
		Errors     json.RawMessage `json:"errors"`
		Extensions struct {
			Cost cost `json:"cost"`
		} `json:"extensions"`
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return unavailable("Shopify's answer is not JSON: %w", err)
	}
	if err := errorsFailure(out.Errors, out.Extensions.Cost); err != nil {
		return err
	}
	if len(out.Data) == 0 || isNull(out.Data) {
		return unavailable("Shopify's answer has neither data nor errors")
	}
	if err := json.Unmarshal(out.Data, data); err != nil {
		return unavailable("Shopify's answer is not of the shape that its contract promises: %w", err)
	}
	return nil
}

// excerpt is the start of an answer, on one line, for an error.
func excerpt(b []byte) string {
	const most = 200
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b[:min(len(b), most)]), "")), " ")
	if s == "" {
		return "no text"
	}
	return s
}
