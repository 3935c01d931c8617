package demo

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
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
func write(path string, content any, flag int) error {
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

func read[T any](path string) (T, error) {
	var found T
	text, err := os.ReadFile(path)
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(text, &found)
}

// note says where a demo is that runs.
type note struct {
	Data    string    `json:"data"`
	Started time.Time `json:"started"`
}

// noted is where the folders of running demos are written down, each in a file of its own, for the next command of the
// same user.
func noted() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "secondstep", "demos"), nil
}

// Note lets `demo code` find this demo, before any that was started earlier. Forget takes back this one alone, and those of
// before are found again.
func Note(folder string, now time.Time) (forget func() error, err error) {
	there, err := noted()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(there, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(there, fmt.Sprintf("%x.json", sha256.Sum256([]byte(folder))))
	if err := write(path, note{Data: folder, Started: now}, 0); err != nil {
		return nil, err
	}
	return func() error {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}, nil
}

// ErrNone is told where no demo runs.
var ErrNone = errors.New("no demo runs: start one with secondstep demo, in another terminal")

// find reads the mark of a demo: of the folder given, or of the one that was noted last.
func find(folder string) (marked, error) {
	if folder != "" {
		return markOf(folder)
	}
	left, err := notes()
	if err != nil {
		return marked{}, err
	}
	for _, one := range left {
		// One that was killed has taken nothing back, and its folder may be gone.
		if found, err := markOf(one.Data); !errors.Is(err, ErrNone) {
			return found, err
		}
	}
	return marked{}, ErrNone
}

func markOf(folder string) (marked, error) {
	found, err := read[marked](filepath.Join(folder, marking))
	if errors.Is(err, fs.ErrNotExist) {
		return marked{}, ErrNone
	}
	if err != nil {
		return marked{}, err
	}
	found.Data = folder
	return found, nil
}

// notes reads those that no demo has taken back, the newest first.
func notes() ([]note, error) {
	folder, err := noted()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	var left []note
	for _, file := range files {
		// It may have ended just now, or been killed as it wrote.
		if one, err := read[note](file); err == nil {
			left = append(left, one)
		}
	}
	slices.SortFunc(left, func(a, b note) int { return b.Started.Compare(a.Started) })
	return left, nil
}
