package seal

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// edge is a tree as far as it is needed to let it grow: the hashes of the whole trees that it consists of, by their
// level. The zero value is the empty tree.
type edge struct {
	size   int64
	levels [64]tlog.Hash
}

// add lets the tree grow by a leaf, and answers its hash and those of the whole trees that end with it, as they are
// stored.
func (e *edge) add(leaf tlog.Hash) []tlog.Hash {
	hashes := []tlog.Hash{leaf}
	level := bits.TrailingZeros64(^uint64(e.size))
	for n := range level {
		leaf = tlog.NodeHash(e.levels[n], leaf)
		hashes = append(hashes, leaf)
	}
	e.levels[level] = leaf
	e.size++
	return hashes
}

// root is the hash of the tree.
func (e *edge) root() tlog.Hash {
	if e.size == 0 {
		empty, _ := tlog.TreeHash(0, nil) // asks for no hash
		return empty
	}
	level := bits.TrailingZeros64(uint64(e.size))
	root := e.levels[level]
	for level++; level < 63; level++ {
		if e.size>>level&1 == 1 {
			root = tlog.NodeHash(e.levels[level], root)
		}
	}
	return root
}
