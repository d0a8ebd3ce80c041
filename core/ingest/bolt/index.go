package bolt

import (
	"encoding/binary"
	"slices"
)

// index says by shop which entries are on disk. It costs 16 bytes for each.
type index map[string]*backlog

// backlog is what is known of one shop's entries.
type backlog struct {
	refs    []ref // by number
	bytes   int64 // of all refs
	waiting int64 // bytes of entries that are not on disk yet
}

type ref struct {
	seq  uint64
	size uint32
}

// of returns a shop's backlog, which it makes where there is none.
func (x index) of(shop string) *backlog {
	b := x[shop]
	if b == nil {
		b = &backlog{}
		x[shop] = b
	}
	return b
}

// after returns the numbers of at most limit entries above seq.
func (x index) after(shop string, seq uint64, limit int) []uint64 {
	b := x[shop]
	if b == nil {
		return nil
	}
	refs := b.refs[b.upTo(seq):]
	refs = refs[:min(len(refs), max(limit, 0))]
	seqs := make([]uint64, len(refs))
	for i, r := range refs {
		seqs[i] = r.seq
	}
	return seqs
}

// bytes returns the sum over all shops.
func (x index) bytes() int64 {
	var sum int64
	for _, b := range x {
		sum += b.bytes
	}
	return sum
}

// forget drops a shop of which nothing is left.
func (x index) forget(shop string) {
	if b := x[shop]; b != nil && len(b.refs) == 0 && b.waiting == 0 {
		delete(x, shop)
	}
}

func (b *backlog) add(seq uint64, size int64) {
	b.refs = append(b.refs, ref{seq: seq, size: uint32(size)}) // a value is below 2 GiB, by bbolt's limit
	b.bytes += size
}

// upTo returns how many entries have a number of at most seq.
func (b *backlog) upTo(seq uint64) int {
	n, found := slices.BinarySearchFunc(b.refs, seq, func(r ref, seq uint64) int {
		switch {
		case r.seq < seq:
			return -1
		case r.seq > seq:
			return 1
		}
		return 0
	})
	if found {
		n++
	}
	return n
}

// drop forgets the first n entries and returns their bytes.
func (b *backlog) drop(n int) int64 {
	var size int64
	for _, r := range b.refs[:n] {
		size += int64(r.size)
	}
	b.refs = b.refs[n:]
	b.bytes -= size
	return size
}

// entryOverhead is what an entry counts against the quotas beyond its value.
const entryOverhead = 64

func sizeOf(value []byte) int64 { return int64(len(value)) + entryOverhead }

func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
