package demo

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Of several demos of one user the last is found, and one that ends takes only itself away.
func TestSeveralDemos(t *testing.T) {
	for _, where := range []string{"XDG_CACHE_HOME", "HOME"} { // of Linux, and of others
		t.Setenv(where, t.TempDir())
	}
	if found, err := find(""); !errors.Is(err, ErrNone) {
		t.Fatalf("before any: %+v, %v", found, err)
	}
	first, second, killed := begun(t, "first"), begun(t, "second"), begun(t, "killed")
	killed.note(t, 1)
	first.note(t, 2)
	second.note(t, 3)
	second.isFound(t)
	if found, err := find(first.folder); err != nil || found.Data != first.folder {
		t.Errorf("by its folder: %+v, %v", found, err)
	}
	second.end(t)
	second.end(t) // once more is nothing
	first.isFound(t)
	first.end(t)
	killed.isFound(t) // its folder is still there, and opens
	if err := os.RemoveAll(killed.folder); err != nil {
		t.Fatal(err)
	}
	if found, err := find(""); !errors.Is(err, ErrNone) {
		t.Errorf("after all: %+v, %v", found, err)
	}
}

type played struct {
	folder string
	forget func() error
}

func begun(t *testing.T, name string) *played {
	t.Helper()
	folder := filepath.Join(t.TempDir(), name)
	if err := mark(folder, ""); err != nil {
		t.Fatal(err)
	}
	return &played{folder: folder}
}

func (r *played) note(t *testing.T, minute time.Duration) {
	t.Helper()
	forget, err := Note(r.folder, time.Unix(0, 0).Add(minute*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	r.forget = forget
}

func (r *played) end(t *testing.T) {
	t.Helper()
	if err := r.forget(); err != nil {
		t.Error(err)
	}
}

func (r *played) isFound(t *testing.T) {
	t.Helper()
	if found, err := find(""); err != nil || found.Data != r.folder {
		t.Errorf("found %+v, %v, want %s", found, err, r.folder)
	}
}
