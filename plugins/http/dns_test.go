package http

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names is what the resolver of these tests knows, beside localhost.
var names = map[string]string{
	"loopback.example.com.":  "127.0.0.1",
	"loopback6.example.com.": "::1",
	"metadata.example.com.":  "169.254.169.254",
	"intranet.example.com.":  "10.0.0.7",
	"mapped.example.com.":    "::ffff:127.0.0.1",
}

// TestMain gives the process a resolver of its own: no test asks the network.
func TestMain(m *testing.M) {
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go serveNames(server)
		return client, nil
	}}
	os.Exit(m.Run())
}

// serveNames answers questions as DNS over TCP does.
func serveNames(conn net.Conn) {
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		raw := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, raw); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(raw); err != nil {
			return
		}
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		q := m.Questions[0]
		address, known := names[strings.ToLower(q.Name.String())]
		switch a, _ := netip.ParseAddr(address); {
		case !known:
			m.RCode = dnsmessage.RCodeNameError
		case a.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: a.As4()}}}
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}}}
		}
		answer, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(bytes.Join([][]byte{binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer}, nil)); err != nil {
			return
		}
	}
}
