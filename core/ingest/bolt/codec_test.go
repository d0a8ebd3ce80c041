package bolt

import (
	"reflect"
	"testing"
	"time"

	"github.com/shophand/shophand/sdk/event"
)

func TestCodec(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]event.Delivery{
		"empty":      {Header: map[string]string{}, Body: []byte{}, ReceivedAt: time.Unix(0, 0).UTC()},
		"zero time":  {Header: map[string]string{}, Body: []byte("x"), ReceivedAt: time.Time{}},
		"odd bytes":  {Shop: "a\x00b", Platform: "é", Header: map[string]string{"": "", "\xff": "\xfe\n"}, Body: []byte{0, 1, 0xff}},
		"nanosecond": {Shop: "tea", Header: map[string]string{"A": "b"}, Body: []byte{}, ReceivedAt: time.Date(2026, 2, 3, 4, 5, 6, 999999999, time.UTC)},
	} {
		b := encode(d)
		got, err := decode(b)
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, d)
		}
		if cap(b) != len(b) && cap(b) > len(b)+64+12*len(d.Header) {
			t.Errorf("%s: %d bytes were reserved for %d", name, cap(b), len(b))
		}
		for n := range len(b) - len(d.Body) {
			if _, err := decode(b[:n]); err == nil {
				t.Errorf("%s: the first %d bytes of %d were taken for a delivery", name, n, len(b))
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{codecVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add(encode(event.Delivery{Shop: "tea", Platform: "shopify", Header: map[string]string{"A": "b", "C": "d"}, Body: []byte("body"), ReceivedAt: time.Unix(1, 2)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		shop, shopErr := decodeShop(b)
		d, err := decode(b)
		if err != nil {
			return
		}
		if shopErr != nil || shop != d.Shop {
			t.Errorf("decodeShop gives %q, %v, decode %q", shop, shopErr, d.Shop)
		}
		again, err := decode(encode(d))
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%+v comes back as %+v, %v", d, again, err)
		}
	})
}
