package keyring

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
)

// Derived is what one key of the ring gives for a purpose.
type Derived struct {
	Key    uint32 // id of the key
	Secret []byte // 32 bytes
}

// Derive gives a secret for a purpose from each key of the ring, that of the primary first. Purposes are apart from each
// other and from what the keys themselves seal: who has one secret learns nothing of another (security.md row 63).
func (r *Ring) Derive(purpose string) ([]Derived, error) {
	held, _ := r.follow() // as in Seal
	list := make([]Derived, 0, len(held.ids))
	for i := range held.handle.Len() {
		entry, err := held.handle.Entry(i)
		if err != nil {
			return nil, err
		}
		if !held.has(entry.KeyID()) {
			continue
		}
		key, ok := entry.Key().(*aesgcm.Key)
		if !ok {
			return nil, errors.New("keyring: a key of the ring gives no secret") // judged when it was read
		}
		secret, err := hkdf.Key(sha256.New, key.KeyBytes().Data(insecuresecretdataaccess.Token{}), nil, "secondstep "+purpose, 32)
		if err != nil {
			return nil, err
		}
		list = append(list, Derived{Key: entry.KeyID(), Secret: secret})
	}
	slices.SortStableFunc(list, func(a, b Derived) int {
		switch held.primary {
		case a.Key:
			return -1
		case b.Key:
			return 1
		}
		return 0
	})
	return list, nil
}
