package labels_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shophand/shophand/plugins/labels/labelssim"
	"github.com/shophand/shophand/sdk/sdktest"
	"github.com/shophand/shophand/sdk/wire"
)

// However an attempt ends, and however often it is repeated, its key buys one label.
func TestOneLabelPerKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key string
		// before arranges how the first attempt ends; nil means well.
		before func(*labelssim.Sim)
		// between happens before the second attempt.
		between func(*labelssim.Sim)
		code    wire.Code
		// requests of both attempts, without the ids
		want string
	}{
		"repeated after success":      {key: "run-1-ship", want: "find create buy | find"},
		"a key that no path can hold": {key: "shop/../run 1?#/ship.json", want: "find create buy | find"},
		"a key like an id":            {key: "shp_0123456789abcdef0123456789abcdef", want: "find create buy | find"},
		"answer to the purchase lost": {key: "k", before: func(s *labelssim.Sim) { s.DropBuys(1) }, code: wire.Unavailable, want: "find create buy | find"},
		"answer to the creation lost": {key: "k", before: func(s *labelssim.Sim) { s.DropCreates(1) }, code: wire.Unavailable, want: "find create | find rerate buy"},
		"rates too old meanwhile": {key: "k", before: func(s *labelssim.Sim) { s.DropCreates(1) }, between: (*labelssim.Sim).ExpireRates,
			code: wire.Unavailable, want: "find create | find rerate buy"},
		"carrier did not answer EasyPost": {key: "k", before: func(s *labelssim.Sim) { s.RefuseBuying("SHIPMENT.POSTAGE.NO_RESPONSE", "No response.") },
			between: func(s *labelssim.Sim) { s.RefuseBuying("", "") }, code: wire.Unavailable, want: "find create buy | find rerate buy"},
		"no money, then replayed": {key: "k", before: func(s *labelssim.Sim) { s.InsufficientFunds(true) },
			between: func(s *labelssim.Sim) { s.InsufficientFunds(false) }, code: wire.Conflict, want: "find create buy | find rerate buy"},
		"EasyPost down at the look": {key: "k", before: func(s *labelssim.Sim) { s.FailNext(1, 503) }, code: wire.Unavailable, want: "find | find create buy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			if c.before != nil {
				c.before(s.sim)
			}
			first, err := s.buy(c.key, parcel())
			if f := (*wire.Failure)(nil); c.code == "" && err != nil || c.code != "" && (!errors.As(err, &f) || f.Code != c.code) {
				t.Fatalf("the first attempt gave %v, want %q", err, c.code)
			}
			done := len(s.sim.Requests())
			if c.between != nil {
				c.between(s.sim)
			}
			second, err := s.buy(c.key, parcel())
			if err != nil {
				t.Fatal(err)
			}
			if c.code == "" && !reflect.DeepEqual(first, second) {
				t.Errorf("attempts gave %+v and %+v", first, second)
			}
			if n := len(s.sim.Labels()); n != 1 || s.sim.Spent().Cmp(second.Rate) != 0 || len(s.sim.Shipments()) != 1 {
				t.Errorf("%d labels for %s, %d shipments", n, s.sim.Spent(), len(s.sim.Shipments()))
			}
			requests := s.sim.Requests()
			if got := kinds(requests[:done]) + " | " + kinds(requests[done:]); got != c.want {
				t.Errorf("requests %s, want %s", got, c.want)
			}
			if _, err := s.buy("another", parcel()); err != nil || len(s.sim.Labels()) != 2 {
				t.Errorf("another key must buy another label: %v, %d labels", err, len(s.sim.Labels()))
			}
		})
	}
}

func kinds(requests []string) string {
	var out []string
	for _, r := range requests {
		switch {
		case strings.HasPrefix(r, "GET "):
			out = append(out, "find")
		case strings.HasSuffix(r, "/shipments"):
			out = append(out, "create")
		default:
			out = append(out, r[strings.LastIndex(r, "/")+1:])
		}
	}
	return strings.Join(out, " ")
}

// An attempt whose deadline passes while EasyPost is silent leaves no request behind that buys later.
func TestDeadline(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.sim.Hang(true)
	call := sdktest.Call{Action: "buy", Input: parcel(), Key: "k", Timeout: 200 * time.Millisecond}
	if _, err := s.Invoke(call); err == nil {
		t.Fatal("bought from a vendor that does not answer")
	}
	s.sim.Hang(false)
	if _, err := s.buy("k", parcel()); err != nil || len(s.sim.Labels()) != 1 {
		t.Errorf("after it answers again: %v, %d labels", err, len(s.sim.Labels()))
	}
}

// Between the look and the purchase somebody else may have bought: EasyPost says so, and the label counts.
func TestPostageExists(t *testing.T) {
	t.Parallel()
	sim := labelssim.New(labelssim.Config{APIKey: key})
	var buys atomic.Int32
	s := shop{serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/buy") && buys.Add(1) == 1 {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			sim.ServeHTTP(httptest.NewRecorder(), r)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		sim.ServeHTTP(w, r)
	})), sim}
	out, err := s.buy("k", parcel())
	if err != nil {
		t.Fatal(err)
	}
	if bought := sim.Labels(); len(bought) != 1 || bought[0].LabelURL != out.LabelURL {
		t.Errorf("got %+v, EasyPost holds %+v", out, bought)
	}
}
