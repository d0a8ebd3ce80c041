package host

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shophand/shophand/sdk"
)

// Files of the data folder.
const (
	lockFile   = "host.lock"
	tokenFile  = "admin-token"
	keyFile    = "key"
	intakeFile = "intake.db"
	engineFile = "engine.db"
	storeFile  = "store.db"
	scratchDir = "scratch"
)

// Running is a host that runs on a data folder.
type Running struct {
	PID   int        `json:"pid"`
	URL   string     `json:"url"` // "" until it listens
	Token sdk.Secret `json:"-"`   // from the token file; "" where there is none
}

// InUseError says that another process has the data folder.
type InUseError struct {
	Folder string
	PID    int
}

// Error names the process.
func (e *InUseError) Error() string {
	return fmt.Sprintf("the data folder %s is in use by process %d: stop it, or choose another folder with --data", e.Folder, e.PID)
}

// folder is a locked data folder. The lock is the kernel's, so it ends with the process, however that ends;
// the file's content tells others where the host listens.
type folder struct {
	path string
	lock *os.File
}

// openFolder makes the folder where it is absent and locks it. It waits a little for a holder that is about
// to end, such as another command.
func openFolder(path string, wait time.Duration) (*folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the data folder: %w", err)
	}
	for deadline := time.Now().Add(wait); ; {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("locking the data folder %s: %w", path, err), f.Close())
		}
		if time.Now().After(deadline) {
			holder, _ := readRunning(f)
			return nil, errors.Join(&InUseError{path, holder.PID}, f.Close())
		}
		time.Sleep(20 * time.Millisecond)
	}
	d := &folder{path, f}
	if err := d.announce(""); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// announce writes who holds the folder and where it listens.
func (d *folder) announce(url string) error {
	raw, err := json.Marshal(Running{PID: os.Getpid(), URL: url})
	if err != nil {
		return err
	}
	if err := d.lock.Truncate(0); err != nil {
		return fmt.Errorf("writing %s: %w", d.lock.Name(), err)
	}
	if _, err := d.lock.WriteAt(raw, 0); err != nil {
		return fmt.Errorf("writing %s: %w", d.lock.Name(), err)
	}
	return nil
}

// whole refuses a folder of which a part is gone: to begin anew with an empty file in its place would repeat
// what was done, or lose what was acknowledged, without a word. The intake is made by the first serve.
func (d *folder) whole(keyInFolder bool) error {
	gone := func(name string) bool {
		_, err := os.Stat(d.file(name))
		return errors.Is(err, os.ErrNotExist)
	}
	switch {
	case gone(storeFile) && gone(engineFile):
		return nil // a new one
	case gone(storeFile):
		return fmt.Errorf("the data folder %s is not whole: %s is gone; restore it from a backup", d.path, storeFile)
	case gone(engineFile):
		return fmt.Errorf("the data folder %s is not whole: %s is gone; restore it from a backup", d.path, engineFile)
	case keyInFolder && gone(keyFile):
		return fmt.Errorf("the data folder %s has secrets and no key file: they were encrypted under another key than any new one; "+
			"put %s back, or set SHOPHAND_KEY to what was in it", d.path, keyFile)
	}
	return nil
}

func (d *folder) file(name string) string { return filepath.Join(d.path, name) }

func (d *folder) close() error {
	return errors.Join(d.lock.Truncate(0), d.lock.Close())
}

func readRunning(f *os.File) (Running, error) {
	var r Running
	raw, err := io.ReadAll(io.NewSectionReader(f, 0, 4096))
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(raw, &r)
}

// Find returns the host that runs on a data folder and listens, or nil where none does.
func Find(path string) (*Running, error) {
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a host on %s: %w", path, err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err == nil {
		return nil, nil // nobody holds it; closing the file gives the lock back
	}
	r, err := readRunning(f)
	if err != nil || r.URL == "" {
		return nil, nil // a command that is about to end: opening the folder waits for it
	}
	raw, err := os.ReadFile(filepath.Join(path, tokenFile))
	if err == nil {
		r.Token = sdk.Secret(strings.TrimSpace(string(raw)))
	}
	return &r, nil
}

// adminToken returns the folder's admin token, made at the first start.
func (d *folder) adminToken() (token sdk.Secret, made bool, err error) {
	path := d.file(tokenFile)
	raw, err := os.ReadFile(path)
	if err == nil {
		if t := strings.TrimSpace(string(raw)); t != "" {
			return sdk.Secret(t), false, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", false, fmt.Errorf("reading the admin token: %w", err)
	}
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return "", false, err
	}
	text := base64.RawURLEncoding.EncodeToString(secret)
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		return "", false, fmt.Errorf("keeping the admin token: %w", err)
	}
	return sdk.Secret(text), true, nil
}
