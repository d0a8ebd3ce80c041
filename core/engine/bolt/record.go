package bolt

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/shophand/shophand/core/engine"
	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

// Buckets of the file, with the form of their keys.
var (
	bucketPositions  = []byte("positions")  // shop
	bucketEvents     = []byte("events")     // event id -> eventRecord
	bucketBodies     = []byte("bodies")     // event id -> content, see encodeBody
	bucketDeliveries = []byte("deliveries") // event id -> delivery of a rejected event
	bucketIdentities = []byte("identities") // shop \0 identity -> event id
	bucketResources  = []byte("resources")  // shop \0 resource -> resource.State
	bucketRuns       = []byte("runs")       // run id -> runRecord
	bucketFrames     = []byte("frames")     // run id, path -> run.Frame
	bucketInputs     = []byte("inputs")     // run id, number -> run.Input
	bucketPending    = []byte("pending")    // run id, path -> pendingAction
	bucketTimers     = []byte("timers")     // due, run id, timer -> nothing
)

// buckets lists all of them.
func buckets() [][]byte {
	return [][]byte{bucketPositions, bucketEvents, bucketBodies, bucketDeliveries, bucketIdentities, bucketResources,
		bucketRuns, bucketFrames, bucketInputs, bucketPending, bucketTimers}
}

// runRecord is a run as stored: its header and how many inputs it has had.
type runRecord struct {
	run.Header
	Inputs uint64 `json:"inputs"`
}

// eventRecord is an event as stored, without its content.
type eventRecord struct {
	engine.Event
	Identity event.Identity `json:"identity"`
	Replays  int            `json:"replays,omitempty"`
}

// pendingAction is an attempt that has been asked for and has no outcome yet. Sent is kept only for actions
// that must not be repeated unasked.
type pendingAction struct {
	run.InvokeAction
	Sent bool `json:"sent,omitempty"`
}

// idLength is that of a ULID as text.
const idLength = ulid.EncodedSize

// newID returns an id that sorts by time and is otherwise told by what it is made from: the same delivery
// gives the same ids, however often it is processed.
func newID(at time.Time, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_ = binary.Write(h, binary.BigEndian, uint32(len(p)))
		h.Write([]byte(p))
	}
	var id ulid.ULID
	_ = id.SetTime(uint64(max(at.UnixMilli(), 0)))
	_ = id.SetEntropy(h.Sum(nil)[:10])
	return id.String()
}

func join(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += len(p) + 1
	}
	key := make([]byte, 0, n)
	for i, p := range parts {
		if i > 0 {
			key = append(key, 0)
		}
		key = append(key, p...)
	}
	return key
}

func pathKey(runID, path string) []byte { return append([]byte(runID), path...) }

func inputKey(runID string, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(runID), n)
}

// timerKey sorts by the time, which is kept to the nanosecond between 1970 and 2262; beyond, it stands for never.
func timerKey(at time.Time, runID, timer string) []byte {
	nanos := uint64(max(at.UnixNano(), 0))
	if at.After(time.Unix(0, math.MaxInt64)) {
		nanos = math.MaxInt64
	}
	key := binary.BigEndian.AppendUint64(nil, nanos)
	return append(append(key, runID...), timer...)
}

func splitTimerKey(key []byte) (at time.Time, runID, timer string) {
	at = time.Unix(0, int64(binary.BigEndian.Uint64(key))).UTC()
	return at, string(key[8 : 8+idLength]), string(key[8+idLength:])
}

// encodeBody writes an event as the length of its JSON, its JSON without what the platform sent, and that
// byte for byte: so the JSON goes to plugins as it is, and nothing is written in base64.
func encodeBody(e event.Event) (body, document []byte, err error) {
	raw := e.Raw
	e.Raw = nil
	document, err = json.Marshal(e)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding event %s: %w", e.ID, err)
	}
	body = binary.AppendUvarint(make([]byte, 0, len(document)+len(raw)+binary.MaxVarintLen32), uint64(len(document)))
	body = append(append(body, document...), raw...)
	return body, document, nil
}

func decodeBody(body []byte) (event.Event, []byte, error) {
	n, skip := binary.Uvarint(body)
	if skip <= 0 || n > uint64(len(body)-skip) {
		return event.Event{}, nil, fmt.Errorf("the content of an event is damaged")
	}
	document := append([]byte(nil), body[skip:skip+int(n)]...)
	var e event.Event
	if err := json.Unmarshal(document, &e); err != nil {
		return event.Event{}, nil, fmt.Errorf("decoding an event: %w", err)
	}
	if raw := body[skip+int(n):]; len(raw) > 0 {
		e.Raw = append([]byte(nil), raw...)
	}
	return e, document, nil
}
