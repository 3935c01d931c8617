package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// again is what to do about a ring that is no good.
const again = "put the right one back from the backup, or, if nothing was ever sealed with it, remove it and a new one is made at the next start"

var (
	errMalformed = errors.New("is not a Tink keyset in JSON")
	errEmpty     = errors.New("holds no key")
	errKind      = errors.New("holds a key that is not AES-256-GCM with a key id (Tink's AES256_GCM)")
	errShort     = errors.New("holds a key shorter than 256 bits")
	errSample    = errors.New("holds a key that is not random: a sample, or a typed word")
	errDisabled  = errors.New("has no enabled key to seal with")
)

// parse reads and judges a ring. name begins the error's one line.
func parse(text []byte, name string) (*keys, error) {
	read, err := judge(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w: %s", name, err, again)
	}
	return read, nil
}

func judge(text []byte) (*keys, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errEmpty
	}
	if len(text) > largest {
		return nil, errMalformed
	}
	// The library's own error is left out, for it may repeat what it read.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errMalformed
	}
	var ids []uint32
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, errMalformed
		}
		if err := judgeKey(entry); err != nil {
			return nil, err
		}
		if entry.KeyStatus() == keyset.Enabled {
			ids = append(ids, entry.KeyID())
		}
	}
	primary, err := handle.Primary()
	if err != nil || !slices.Contains(ids, primary.KeyID()) {
		return nil, errDisabled
	}
	read, err := newKeys(handle, primary.KeyID(), ids)
	if err != nil {
		return nil, errMalformed
	}
	return read, nil
}

func judgeKey(entry *keyset.Entry) error {
	key, ok := entry.Key().(*aesgcm.Key)
	if !ok {
		return errKind
	}
	parameters, ok := key.Parameters().(*aesgcm.Parameters)
	if !ok || parameters.Variant() != aesgcm.VariantTink {
		return errKind
	}
	secret := key.KeyBytes().Data(insecuresecretdataaccess.Token{})
	if len(secret) != 32 {
		return errShort
	}
	if !random(secret) {
		return errSample
	}
	return nil
}

// random says whether 32 bytes may have come from a random source. 32 random bytes hold
// fewer than 16 different values, or steps from byte to byte, about once in 10^13; all
// printable once in 10^13. So samples, counted-up bytes and typed words are caught, and
// no key that was ever made is.
func random(secret []byte) bool {
	values, steps, printable := map[byte]bool{}, map[byte]bool{}, true
	for i, b := range secret {
		values[b] = true
		if i > 0 {
			steps[b-secret[i-1]] = true
		}
		printable = printable && b >= ' ' && b <= '~'
	}
	return len(values) >= 16 && len(steps) >= 16 && !printable
}
