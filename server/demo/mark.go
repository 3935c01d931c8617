package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// marking is the file that makes a folder one of a demo: written before anything else is, and read before a code is
// answered, so that no key ring of a real installation is ever asked.
const marking = "demo.json"

// IsDemo reports whether the folder is a demo's. An installation in it has a password that everybody knows.
func IsDemo(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, marking))
	return err == nil
}

// keys is the key ring, which a real installation on PostgreSQL has in its folder too.
const keys = "keyring.json"

type marked struct {
	Data        string `json:"data"`
	DatabaseURL string `json:"database_url,omitempty"`
}

// mark makes the folder a demo's, unless it is somebody else's.
func mark(folder, databaseURL string) error {
	if _, err := os.Stat(filepath.Join(folder, keys)); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(ErrInUse, err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the demo's folder can't be made: %w", err)
	}
	return write(filepath.Join(folder, marking), marked{Data: folder, DatabaseURL: databaseURL}, os.O_EXCL)
}

// write replaces a file that its owner alone may read. What lies at the path is no link that is followed.
func write(path string, content marked, flag int) error {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|flag, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Close())
}

func read(path string) (marked, error) {
	var found marked
	text, err := os.ReadFile(path)
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(text, &found)
}

// noted is where the running demo's folder is written down for the next command of the same user.
func noted() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "secondstep", marking), nil
}

// Note lets `demo code` find this demo, in place of one that was started before. Forget takes it back, and does nothing
// where a later demo has noted itself meanwhile.
func Note(folder string) (forget func() error, err error) {
	path, err := noted()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := write(path, marked{Data: folder}, 0); err != nil {
		return nil, err
	}
	return func() error {
		found, err := read(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case found.Data != folder:
			return nil
		}
		return os.Remove(path)
	}, nil
}

// ErrNone is told where no demo runs.
var ErrNone = errors.New("no demo runs: start one with secondstep demo, in another terminal")

// find reads the mark of a demo: of the folder given, or of the one that was noted.
func find(folder string) (marked, error) {
	if folder == "" {
		path, err := noted()
		if err != nil {
			return marked{}, err
		}
		note, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			return marked{}, ErrNone
		}
		if err != nil {
			return marked{}, err
		}
		folder = note.Data
	}
	found, err := read(filepath.Join(folder, marking))
	if errors.Is(err, fs.ErrNotExist) {
		return marked{}, ErrNone
	}
	if err != nil {
		return marked{}, err
	}
	found.Data = folder
	return found, nil
}
