package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shophand/shophand/sdk/event"
)

// codecVersion is the first byte of every stored delivery.
const codecVersion = 1

var errShort = errors.New("it ends too early")

// encode writes a delivery:
//
//	version byte | shop | platform | seconds varint | nanoseconds uvarint | number of headers uvarint |
//	(name | value) … | body up to the end
//
// where a text is its length as uvarint and its bytes. Nothing is escaped: header values and bodies come back
// byte for byte.
func encode(d event.Delivery) []byte {
	size := 1 + 5*binary.MaxVarintLen64 + len(d.Shop) + len(d.Platform) + len(d.Body)
	for name, value := range d.Header {
		size += 2*binary.MaxVarintLen32 + len(name) + len(value)
	}
	b := make([]byte, 0, size)
	b = append(b, codecVersion)
	b = appendText(b, d.Shop)
	b = appendText(b, d.Platform)
	b = binary.AppendVarint(b, d.ReceivedAt.Unix())
	b = binary.AppendUvarint(b, uint64(d.ReceivedAt.Nanosecond()))
	b = binary.AppendUvarint(b, uint64(len(d.Header)))
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		b = appendText(b, name)
		b = appendText(b, d.Header[name])
	}
	return append(b, d.Body...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeShop reads only whose delivery it is.
func decodeShop(b []byte) (string, error) {
	r, err := open(b)
	if err != nil {
		return "", err
	}
	return r.text(), r.err
}

// decode reads what encode wrote. The delivery shares no memory with b.
func decode(b []byte) (event.Delivery, error) {
	r, err := open(b)
	if err != nil {
		return event.Delivery{}, err
	}
	d := event.Delivery{Shop: r.text(), Platform: r.text()}
	seconds, nanos := r.varint(), r.uvarint()
	n := r.uvarint()
	if n > uint64(len(r.rest))/2 { // a header takes two bytes at least
		return event.Delivery{}, errShort
	}
	d.Header = make(map[string]string, n)
	for range n {
		name := r.text()
		d.Header[name] = r.text()
	}
	if r.err != nil {
		return event.Delivery{}, r.err
	}
	if nanos >= uint64(time.Second) {
		return event.Delivery{}, errors.New("its time is out of range")
	}
	d.ReceivedAt = time.Unix(seconds, int64(nanos)).UTC()
	d.Body = append([]byte{}, r.rest...)
	return d, nil
}

// open checks the version byte.
func open(b []byte) (reader, error) {
	switch {
	case len(b) == 0:
		return reader{}, errShort
	case b[0] != codecVersion:
		return reader{}, fmt.Errorf("its format is %d, this version of Shophand knows %d", b[0], codecVersion)
	}
	return reader{rest: b[1:]}, nil
}

// reader takes values off the front of rest. After an error it gives zero values.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) skip(n int) {
	if n <= 0 {
		r.rest, r.err = nil, errShort
		return
	}
	r.rest = r.rest[n:]
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.rest, r.err = nil, errShort
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
