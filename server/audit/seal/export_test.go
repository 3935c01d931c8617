package seal

// Columns are those of an event that a leaf holds.
const Columns = columns

// Batch is how many events are sealed at once.
const Batch = batch

// LeafHash is the hash of an event's leaf.
func LeafHash(values []any) []byte {
	hash := storedLeaf{values: values}.hash()
	return hash[:]
}
