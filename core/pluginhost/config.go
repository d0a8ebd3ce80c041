package pluginhost

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"time"

	"github.com/shophand/shophand/sdk/wire"
)

// Program is how a plugin is started.
type Program struct {
	// Name is the plugin's name; a program that says it is another is not used.
	Name string
	// Path is the executable, absolute. Empty means the running binary itself: on Linux the very file that
	// runs, even after an upgrade put another in its place.
	Path string
	Args []string
	// Env is the whole environment of the process, as "KEY=value", besides what the handshake needs. Nothing
	// of the host's is passed on: name here what a program needs (TZ, SSL_CERT_FILE, HTTPS_PROXY …).
	Env []string
	// SHA256 is the checksum that the executable must have at each start; nil: it is not checked. Between
	// check and start the file could be changed by whoever may write it: keep it where only its owner can.
	SHA256 []byte
	// Description is what the plugin says of itself where that is known without asking; nil: the process is
	// asked.
	Description *wire.Description
}

// Config is what a Host is made of. All fields but Programs may be left out.
type Config struct {
	Programs []Program
	Log      *slog.Logger     // nil: nothing is logged
	Now      func() time.Time // for back-off, log limits and what Status shows; nil: time.Now

	// ScratchDir holds the working folders of the processes. It must be this host's alone: what an earlier
	// one left there is removed. Empty: the system's folder for temporary files.
	ScratchDir string
	// Redact removes secrets from text that a plugin printed, before it is logged or becomes part of a
	// reason. nil: text stays as it is.
	Redact func(string) string

	StartTimeout time.Duration // from the start to the answer to Describe; 10 s
	CallTimeout  time.Duration // deadline of a call whose context has none; 60 s
	PingTimeout  time.Duration // for the answer to a health check; 2 s
	StopTimeout  time.Duration // from the request to stop to the kill; 2 s
	// IdleStop stops a process that nobody called for so long; 15 min. Below 0: never.
	IdleStop time.Duration
	// HungCalls is after how many calls in a row without an answer in time a process is replaced; 5.
	HungCalls int

	BackoffMin   time.Duration // 100 ms, doubled with each failure in a row
	BackoffMax   time.Duration // 30 s
	HealthyAfter time.Duration // a process that lived so long is no failure in a row; 60 s

	LogLines int // lines per second and plugin that are logged; 100
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Redact == nil {
		c.Redact = func(s string) string { return s }
	}
	for _, d := range []struct {
		field    *time.Duration
		fallback time.Duration
	}{
		{&c.StartTimeout, 10 * time.Second}, {&c.CallTimeout, time.Minute}, {&c.PingTimeout, 2 * time.Second},
		{&c.StopTimeout, 2 * time.Second}, {&c.IdleStop, 15 * time.Minute}, {&c.BackoffMin, 100 * time.Millisecond},
		{&c.BackoffMax, 30 * time.Second}, {&c.HealthyAfter, time.Minute},
	} {
		if *d.field == 0 {
			*d.field = d.fallback
		}
	}
	if c.HungCalls <= 0 {
		c.HungCalls = 5
	}
	if c.LogLines <= 0 {
		c.LogLines = 100
	}
	return c
}

// names is the form of plugin names, as the SDK has it.
const names = `^[a-z][a-z0-9_]{0,39}$`

func (p Program) check() error {
	switch {
	case !regexp.MustCompile(names).MatchString(p.Name):
		return fmt.Errorf("plugin name %q must be lower case letters, digits and _, starting with a letter", p.Name)
	case p.Path != "" && !filepath.IsAbs(p.Path):
		return fmt.Errorf("plugin %s: path %q must be absolute", p.Name, p.Path)
	case p.SHA256 != nil && p.Path == "":
		return fmt.Errorf("plugin %s: a built-in has no checksum of its own", p.Name)
	case p.SHA256 != nil && len(p.SHA256) != sha256.Size:
		return fmt.Errorf("plugin %s: the checksum has %d bytes; SHA-256 has %d", p.Name, len(p.SHA256), sha256.Size)
	case p.Description != nil:
		if err := checkDescription(p.Name, *p.Description); err != nil {
			return fmt.Errorf("plugin %s: %w", p.Name, err)
		}
	}
	return nil
}

func (c Config) check() error {
	seen := map[string]bool{}
	var errs []error
	for _, p := range c.Programs {
		if err := p.check(); err != nil {
			errs = append(errs, err)
		}
		if seen[p.Name] {
			errs = append(errs, fmt.Errorf("plugin %s is given twice", p.Name))
		}
		seen[p.Name] = true
	}
	return errors.Join(errs...)
}
