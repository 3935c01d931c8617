package database

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// What is not surely one whole head is no state, so that nothing is answered from memory by it.
func TestTheStateIsToldByAWholeHeadAlone(t *testing.T) {
	head := func(version uint32, transactions byte) []byte {
		one := make([]byte, walIndexHeader)
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
		"not yet written once": {make([]byte, walIndexHeader), make([]byte, walIndexHeader), false},
	} {
		t.Run(name, func(t *testing.T) {
			database := filepath.Join(t.TempDir(), "x.db")
			if err := os.WriteFile(database+"-shm", append(c.first, c.second...), 0o600); err != nil {
				t.Fatal(err)
			}
			states, err := openSQLiteStates(database)
			if err != nil {
				t.Fatal(err)
			}
			defer states.close()
			now, err := states.now(t.Context())
			if err != nil || (now != state{}) != c.told {
				t.Errorf("got %v %v", now, err)
			}
		})
	}
}
