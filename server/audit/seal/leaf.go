package seal

import (
	"encoding/binary"
	"fmt"
	"math"
)

// version is that of leaves made now. Each leaf's own is stored with it, so that events can get further columns.
const version = 1

// columns are those of an event that a leaf of this version holds, in their order: all that there are.
const columns = "id, at, schema, kind, result, actor_id, subject_id, session_id, method, reason, address, browser, request_id, data"

// fields is how many they are.
const fields = 14

// leaf is the text of an event that is hashed: no two events, nor one event told in two ways, have the same. Each value has
// its kind before it, NULL being one, and a text its length.
func leaf(values []any) []byte {
	text := []byte("secondstep event 1\n")
	for _, value := range values {
		switch value := value.(type) {
		case nil:
			text = append(text, 0)
		case int64:
			text = binary.BigEndian.AppendUint64(append(text, 1), uint64(value))
		case string:
			text = append(binary.BigEndian.AppendUint32(append(text, 2), uint32(len(value))), value...)
		case []byte: // no event is written with one: as bytes a text is another value to SQLite, which finds it by none of its filters
			text = append(binary.BigEndian.AppendUint32(append(text, 5), uint32(len(value))), value...)
		case float64: // SQLite stores whatever it is given
			text = binary.BigEndian.AppendUint64(append(text, 3), math.Float64bits(value))
		default:
			other := fmt.Sprintf("%T %v", value, value)
			text = append(binary.BigEndian.AppendUint32(append(text, 4), uint32(len(other))), other...)
		}
	}
	return text
}
