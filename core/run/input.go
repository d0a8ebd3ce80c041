package run

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/shophand/shophand/core/expr"
	"github.com/shophand/shophand/sdk/event"
)

// Input is something that happened to a run. It is one of the types below; each carries its time, the only
// clock there is.
type Input interface {
	// Time is when it happened.
	Time() time.Time
}

// Started begins a run. Failure is set where the flow's condition could not be evaluated: the run fails
// with it, because what cannot be told is never taken for false.
type Started struct {
	At      time.Time    `json:"at"`
	RunID   string       `json:"run_id"`
	Shop    expr.Shop    `json:"shop"`
	Event   *event.Event `json:"-"` // stored by its id
	Failure string       `json:"failure,omitempty"`
}

// ActionSucceeded brings the output of an attempt.
type ActionSucceeded struct {
	At      time.Time       `json:"at"`
	Path    string          `json:"path"`
	Attempt int             `json:"attempt"`
	Output  json.RawMessage `json:"output,omitempty"` // nil: none
}

// ActionFailed brings the failure of an attempt.
type ActionFailed struct {
	At         time.Time     `json:"at"`
	Path       string        `json:"path"`
	Attempt    int           `json:"attempt"`
	Error      string        `json:"error"`
	Permanent  bool          `json:"permanent,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Free: the attempt did not reach the action; it is not counted.
	Free bool `json:"free,omitempty"`
}

// ActionUnknown says that nobody knows whether an attempt took effect. Crash: the host was stopped in the
// middle of it, which is not the action's fault, so the attempt is repeated at once and not counted.
type ActionUnknown struct {
	At      time.Time `json:"at"`
	Path    string    `json:"path"`
	Attempt int       `json:"attempt"`
	Error   string    `json:"error"`
	Crash   bool      `json:"crash,omitempty"`
}

// TimerFired brings a timer that is due. A timer that was overtaken changes nothing.
type TimerFired struct {
	At    time.Time `json:"at"`
	Timer string    `json:"timer"`
}

// Time implements Input.
func (i Started) Time() time.Time { return i.At }

// Time implements Input.
func (i ActionSucceeded) Time() time.Time { return i.At }

// Time implements Input.
func (i ActionFailed) Time() time.Time { return i.At }

// Time implements Input.
func (i ActionUnknown) Time() time.Time { return i.At }

// Time implements Input.
func (i TimerFired) Time() time.Time { return i.At }

// MarshalInput encodes an input for storage.
func MarshalInput(i Input) ([]byte, error) {
	body, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	return append([]byte{inputTag(i)}, body...), nil
}

// UnmarshalInput decodes what MarshalInput encoded. Started comes back without its event.
func UnmarshalInput(b []byte) (Input, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("an input of a run is empty")
	}
	switch b[0] {
	case 's':
		return decodeInput[Started](b[1:])
	case 'o':
		return decodeInput[ActionSucceeded](b[1:])
	case 'f':
		return decodeInput[ActionFailed](b[1:])
	case 'u':
		return decodeInput[ActionUnknown](b[1:])
	case 't':
		return decodeInput[TimerFired](b[1:])
	}
	return nil, fmt.Errorf("an input of a run is of the unknown kind %q: it was written by a newer Shophand", b[0])
}

func decodeInput[T Input](b []byte) (Input, error) {
	var i T
	err := json.Unmarshal(b, &i)
	return i, err
}

func inputTag(i Input) byte {
	switch i.(type) {
	case Started:
		return 's'
	case ActionSucceeded:
		return 'o'
	case ActionFailed:
		return 'f'
	case ActionUnknown:
		return 'u'
	case TimerFired:
		return 't'
	}
	panic(fmt.Sprintf("run: %T is no input", i))
}
