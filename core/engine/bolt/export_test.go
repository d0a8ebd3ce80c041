package bolt

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"github.com/shophand/shophand/core/run"
	"github.com/shophand/shophand/sdk/event"
)

// AfterCommit has f called after each commit, before anyone is told of it.
func (c *Config) AfterCommit(f func()) { c.committed = f }

// StoredRun is all that the file holds of a run.
type StoredRun struct {
	Header run.Header
	Frames map[string]run.Frame
	Inputs []run.Input // Started with its event
	Event  *event.Event
	Due    int // attempts and timers that the run waits for
}

// StoredRuns reads the runs of a file that no engine has open.
func StoredRuns(dir string) (runs []StoredRun, err error) {
	db, err := bbolt.Open(filepath.Join(dir, "engine.db"), 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		due := map[string]int{}
		_ = tx.Bucket(bucketPending).ForEach(func(k, _ []byte) error { due[string(k[:idLength])]++; return nil })
		_ = tx.Bucket(bucketTimers).ForEach(func(k, _ []byte) error { due[string(k[8:8+idLength])]++; return nil })
		return tx.Bucket(bucketRuns).ForEach(func(id, raw []byte) error {
			r, err := storedRun(tx, string(id), raw)
			r.Due = due[string(id)]
			runs = append(runs, r)
			return err
		})
	})
	return runs, err
}

func storedRun(tx *bbolt.Tx, id string, raw []byte) (StoredRun, error) {
	var record runRecord
	if err := json.Unmarshal(raw, &record); err != nil {
		return StoredRun{}, err
	}
	ev, _, err := decodeBody(tx.Bucket(bucketBodies).Get([]byte(record.EventID)))
	if err != nil {
		return StoredRun{}, err
	}
	r := StoredRun{Header: record.Header, Frames: map[string]run.Frame{}, Event: &ev}
	c := tx.Bucket(bucketFrames).Cursor()
	for k, v := c.Seek([]byte(id)); k != nil && string(k[:idLength]) == id; k, v = c.Next() {
		var f run.Frame
		if err := json.Unmarshal(v, &f); err != nil {
			return r, err
		}
		r.Frames[string(k[idLength:])] = f
	}
	for n := uint64(1); n <= record.Inputs; n++ {
		in, err := run.UnmarshalInput(tx.Bucket(bucketInputs).Get(inputKey(id, n)))
		if err != nil {
			return r, fmt.Errorf("input %d of run %s: %w", n, id, err)
		}
		if start, ok := in.(run.Started); ok {
			start.Event = &ev
			in = start
		}
		r.Inputs = append(r.Inputs, in)
	}
	if tx.Bucket(bucketInputs).Get(inputKey(id, record.Inputs+1)) != nil {
		return r, fmt.Errorf("run %s has more inputs than it counted", id)
	}
	return r, nil
}
