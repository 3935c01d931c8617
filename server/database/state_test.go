package database

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// What is not surely one whole head is no state, so that nothing is answered from memory by it.
func TestTheStateIsToldByAWholeHeadAlone(t *testing.T) {
	head := func(version uint32, transactions byte) []byte {
		one := make([]byte, len(walIndexHead{}))
		binary.NativeEndian.PutUint32(one, version)
		one[8] = transactions
		return one
	}
	for name, c := range map[string]struct {
		first, second []byte
		told          bool
	}{
		"twice the same":       {head(walIndexVersion, 7), head(walIndexVersion, 7), true},
		"being written":        {head(walIndexVersion, 7), head(walIndexVersion, 8), false},
		"of a SQLite to come":  {head(walIndexVersion+1, 7), head(walIndexVersion+1, 7), false},
		"not yet written once": {make([]byte, len(walIndexHead{})), make([]byte, len(walIndexHead{})), false},
		"cut off":              {head(walIndexVersion, 7), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if now := headOf(bytes.NewReader(append(c.first, c.second...))); (now != walIndexHead{}) != c.told {
				t.Errorf("got %v", now)
			}
		})
	}
}

// A database file may be a symbolic link, and an index of before may lie beside it, which nobody writes any more.
func TestTheStateIsThatOfTheFileBehindALink(t *testing.T) {
	for name, left := range map[string]bool{"alone": false, "with an index left behind": true} {
		t.Run(name, func(t *testing.T) {
			options := sqliteOptions(t)
			d := opened(t, options, defaults)
			put(t, d, "a")
			link := filepath.Join(options.Folder, SQLiteFile)
			if left {
				copied(t, link+"-shm", link+"-shm.left")
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			behind := filepath.Join(t.TempDir(), "behind.db")
			if err := os.Rename(link, behind); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(behind, link); err != nil {
				t.Fatal(err)
			}
			if left {
				copied(t, link+"-shm.left", link+"-shm")
			}
			again := opened(t, options, defaults)
			jobs, read := remembering(again)
			for n := range int64(5) {
				put(t, again, "a")
				for range 3 {
					if got, err := jobs.Find(t.Context(), "a"); err != nil || len(got) != 1 || got[0] != n+2 {
						t.Fatalf("%d: %v %v", n, got, err)
					}
				}
			}
			if *read != 5 {
				t.Errorf("15 questions after 5 commits read %d rows", *read)
			}
		})
	}
}

// An index that no commit of ours shows in is not believed.
func TestNoStateIsToldByAnIndexThatNothingChanges(t *testing.T) {
	d := opened(t, sqliteOptions(t), defaults)
	states := d.states.(*sqliteStates)
	left := filepath.Join(t.TempDir(), "left-shm")
	copied(t, states.index.Name(), left)
	live := states.index
	t.Cleanup(func() { states.index = live }) // to be closed after the database
	index, err := os.Open(left)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = index.Close() })
	states.index, states.opened = index, headOf(index)
	states.seen.Store(false)
	put(t, d, "a")
	if now, err := states.now(t.Context()); err != nil || now != (state{}) {
		t.Errorf("got %v %v", now, err)
	}
}

func copied(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
