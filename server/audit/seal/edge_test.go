package seal

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// TestEdge holds our own tree, which needs no storage, to the library's.
func TestEdge(t *testing.T) {
	var kept []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for n, index := range indexes {
			found[n] = kept[index]
		}
		return found, nil
	})
	var e edge
	for n := range int64(300) {
		root, err := tlog.TreeHash(n, reader)
		if err != nil || root != e.root() || e.size != n {
			t.Fatalf("%d: %v, want %v, %v", n, e.root(), root, err)
		}
		data := []byte(fmt.Sprint("leaf ", n))
		want, err := tlog.StoredHashes(n, data, reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.add(tlog.RecordHash(data)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%d: %v, want %v", n, got, want)
		}
		kept = append(kept, want...)
	}
}

// TestLeaf tells apart whatever the database tells apart.
func TestLeaf(t *testing.T) {
	seen := map[string]string{}
	for _, values := range [][]any{
		{}, {nil}, {nil, nil}, {""}, {"", nil}, {nil, ""}, {"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", nil, "b"}, {"1"}, {int64(1)}, {float64(1)}, {true},
		{"a\x00"}, {"a"}, {int64(0)}, {int64(256)}, {int64(-1)}, {"\x00\x00\x00\x01a"}, {"a", "\x02\x00\x00\x00\x01b"},
	} {
		said, text := fmt.Sprintf("%#v", values), string(leaf(values))
		if other, there := seen[text]; there {
			t.Errorf("%s and %s are the same leaf", said, other)
		}
		seen[text] = said
	}
	if string(leaf([]any{"a", []byte("b")})) == string(leaf([]any{"a", "b"})) {
		t.Error("bytes, which SQLite finds by no text, are the same leaf as the text")
	}
}
