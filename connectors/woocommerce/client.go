package woocommerce

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/safehttp"
	"github.com/shophand/shophand/sdk/wire"
)

// maxAnswer is the most that is read of a store's answer, in bytes.
const maxAnswer = 5 << 20

// call sends one request to the store's REST API, version 3, and returns its answer, a JSON object. body is sent
// as JSON where it is not nil. Errors carry their kind for the host; none holds a key.
func (c *Connector) call(ctx context.Context, a Access, method, path string, query url.Values, body any) ([]byte, error) {
	base, err := a.base()
	if err != nil {
		return nil, invalid(err)
	}
	at := base.JoinPath("wp-json/wc/v3", path)
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		content = bytes.NewReader(encoded)
	}
	signed, err := c.sign(method, at, query, a)
	if err != nil {
		return nil, err
	}
	at.RawQuery = signed.Encode()
	req, err := http.NewRequestWithContext(ctx, method, at.String(), content)
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	if at.Scheme == "https" {
		req.SetBasicAuth(a.Key.Reveal(), a.Secret.Reveal())
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Shophand")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreached(base, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, unreached(base, err)
	}
	if len(answer) > maxAnswer {
		return nil, sdk.Fail(wire.Unavailable, fmt.Errorf("the store %s answered with more than %d MiB", base.Host, maxAnswer>>20))
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, c.refused(base, resp, answer)
	}
	if bytes.HasPrefix(bytes.TrimSpace(answer), []byte("{")) && json.Valid(answer) {
		return answer, nil
	}
	return nil, sdk.Fail(wire.Unavailable, fmt.Errorf("the store %s answered %d with what is not JSON: %s", base.Host, resp.StatusCode, excerpt(answer)))
}

// sign returns the query with what authorises the request over plain http; over https that is a header.
func (c *Connector) sign(method string, at *url.URL, query url.Values, a Access) (url.Values, error) {
	if at.Scheme == "https" {
		return query, nil
	}
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(c.random, nonce); err != nil {
		return nil, fmt.Errorf("making a nonce: %w", err)
	}
	signed := url.Values{
		"oauth_consumer_key":     {a.Key.Reveal()},
		"oauth_nonce":            {hex.EncodeToString(nonce)},
		"oauth_signature_method": {"HMAC-SHA256"},
		"oauth_timestamp":        {strconv.FormatInt(c.now().Unix(), 10)},
	}
	for name, values := range query {
		signed[name] = values
	}
	signed.Set("oauth_signature", oauthSignature(method, at, signed, a.Secret.Reveal()))
	return signed, nil
}

// unreached is the error of a request that got no whole answer. The request's address stays out of it: over
// plain http it holds a key.
func unreached(base *url.URL, err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	err = fmt.Errorf("the store %s cannot be reached: %w", base.Host, err)
	if errors.Is(err, safehttp.ErrPrivateAddress) {
		return invalid(err)
	}
	return sdk.Fail(wire.Unavailable, err)
}

// refused is the error of an answer that is not 2xx. WordPress answers with code and message in JSON; what stands
// before it (a firewall, a proxy, PHP itself) with a page.
func (c *Connector) refused(base *url.URL, resp *http.Response, answer []byte) error {
	said, ok := decode[envelope](answer)
	known := ok && said.Code != ""
	what := excerpt(answer)
	if known {
		what = fmt.Sprintf("%q (%s)", clip(said.Message.text(), 200), clip(said.Code.text(), 80))
	}
	err := fmt.Errorf("the store %s answered %d: %s", base.Host, resp.StatusCode, what)
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		return sdk.Fail(wire.Unavailable, fmt.Errorf("the store %s redirects to %s; if that is its address, set the shop's URL to it", base.Host, clip(resp.Header.Get("Location"), 120)))
	case status == http.StatusTooManyRequests:
		return sdk.RetryAfter(c.wait(resp, 30*time.Second), sdk.Fail(wire.RateLimited, err))
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		if d := c.wait(resp, 0); d > 0 {
			return sdk.RetryAfter(d, sdk.Fail(wire.Unavailable, err))
		}
		return sdk.Fail(wire.Unavailable, err)
	case status == http.StatusForbidden && !known: // a firewall's page, which may be gone in a minute
		return sdk.Fail(wire.Unavailable, err)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return sdk.Permanent(sdk.Fail(wire.Unauthorized, err))
	case said.Code == "rest_no_route" || status == http.StatusNotFound && !known:
		return sdk.Permanent(sdk.Fail(wire.NotFound, fmt.Errorf("%w; there is no WooCommerce REST API at this address: check it, and that permalinks are not plain", err)))
	case status == http.StatusNotFound, strings.HasSuffix(said.Code.text(), "invalid_id"): // 400 for a PUT
		return sdk.Permanent(sdk.Fail(wire.NotFound, err))
	}
	return invalid(err)
}

// maxWait bounds what a store may ask us to wait.
const maxWait = time.Hour

// wait returns what the answer's Retry-After asks for, in seconds or as a date; otherwise where it is absent.
func (c *Connector) wait(resp *http.Response, otherwise time.Duration) time.Duration {
	asked := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseInt(asked, 10, 32); err == nil && n > 0 {
		return min(time.Duration(n)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(asked); err == nil && at.After(c.now()) {
		return min(at.Sub(c.now()), maxWait)
	}
	return otherwise
}

// excerpt is the beginning of a page's text, without tags, for people.
func excerpt(page []byte) string {
	var text []rune
	inTag, space := false, true
	for _, r := range string(page[:min(len(page), 4096)]) {
		switch {
		case r == '<':
			inTag = true
		case r == '>' && inTag:
			inTag, r = false, ' '
		}
		if inTag || r < ' ' && r != '\n' && r != '\t' {
			continue
		}
		if r == ' ' || r == '\n' || r == '\t' {
			if !space {
				text, space = append(text, ' '), true
			}
			continue
		}
		if text, space = append(text, r), false; len(text) == 120 {
			return string(text) + "…"
		}
	}
	if len(text) == 0 {
		return "an empty page"
	}
	return string(text)
}
