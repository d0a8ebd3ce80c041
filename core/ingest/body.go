package ingest

import (
	"errors"
	"io"
	"net/http"
)

var (
	errTooLarge = errors.New("the body is too large")
	errNoMemory = errors.New("too many large bodies at once")
)

const (
	// firstRead is how much memory a body gets before any of it has come, whatever length it claims.
	firstRead = 64 << 10
	// drainFactor is how many times the limit is read and thrown away of a body that is too large. Senders
	// that write before they read would else meet a reset connection in place of the answer.
	drainFactor = 8
)

// readBody reads a request's whole body. Memory beyond firstRead is asked of grow, which is told how many bytes
// more are wanted and may refuse them. A body above limit gives errTooLarge, one refused memory errNoMemory.
func readBody(r *http.Request, limit int64, grow func(int64) bool) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, errTooLarge
	}
	size := int64(firstRead)
	if r.ContentLength >= 0 {
		size = min(size, r.ContentLength+1) // one more, so that the end is met without growing
	}
	body := make([]byte, 0, max(size, 512))
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if int64(len(body)) > limit {
			return nil, errTooLarge
		}
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		if len(body) == cap(body) {
			if cap(body) >= firstRead && !grow(int64(cap(body))) {
				return nil, errNoMemory
			}
			body = append(make([]byte, 0, 2*cap(body)), body...)
		}
	}
}

// drain throws away what is left of a body that is too large, up to a bound. A sender that waits to be told
// to go on is not.
func drain(r *http.Request, limit int64) {
	if r.Header.Get("Expect") != "" || r.ContentLength > drainFactor*limit {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, drainFactor*limit)
}
