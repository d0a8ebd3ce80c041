package pluginhost

import (
	"errors"
	"fmt"
	"time"
)

// ErrUnknownPlugin is wrapped by the *NotStarted of a plugin that the host does not have.
var ErrUnknownPlugin = errors.New("no such plugin")

// NotStarted says that an attempt surely did not reach the plugin: it may be repeated, whatever its action's
// outcome policy, and is not to be counted.
type NotStarted struct {
	Plugin string
	Reason string // a sentence that names the plugin
	// RetryAfter is how long the plugin will not be started for; 0: try as soon as you like.
	RetryAfter time.Duration
	// Permanent: trying again is of no use before something else changes.
	Permanent bool
	err       error
}

func (e *NotStarted) Error() string { return e.Reason }

// Unwrap returns what the host's own part failed of, or nil.
func (e *NotStarted) Unwrap() error { return e.err }

// Unknown says that nobody knows whether an attempt took effect: the plugin died, did not answer in time, broke,
// or gave an answer that the host does not take.
type Unknown struct {
	Plugin string
	Action string
	Reason string // a sentence that names the plugin
}

func (e *Unknown) Error() string { return e.Reason }

func noSuchPlugin(name string) *NotStarted {
	return &NotStarted{Plugin: name, Permanent: true, err: ErrUnknownPlugin,
		Reason: fmt.Sprintf("there is no plugin %q; install it, or correct its name in the flow", name)}
}

func stopping(name string) *NotStarted {
	return &NotStarted{Plugin: name, Reason: fmt.Sprintf("plugin %s is not called: the host is stopping", name)}
}
