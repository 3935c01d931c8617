package keyring

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/secretdata"
)

func TestOpenMakesTheFileOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "keyring.json")
	first, err := Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	second, err := Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := first.Seal([]byte("secret"), seed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open(sealed, seed); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestOpenAtOnceEndsWithOneRing(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "keyring.json")
		const n = 8
		var ids [n]uint32
		var ready, done sync.WaitGroup
		ready.Add(n)
		for i := range n {
			done.Go(func() {
				ready.Done()
				ready.Wait()
				r, err := Open(path, "")
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = r.PrimaryID()
			})
		}
		done.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("different rings: %v", ids)
			}
		}
	}
}

func TestOpenExistingRefusesAMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	_, err := OpenExisting(path, "")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it made the file: %v", err)
	}
}

func TestOpenRefusesOtherModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	if _, err := Open(path, ""); err != nil {
		t.Fatal(err)
	}
	for mode, good := range map[fs.FileMode]bool{
		0o600: true, 0o400: true,
		0o640: false, 0o604: false, 0o644: false, 0o620: false, 0o602: false, 0o601: false, 0o700: false, 0o666: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, "")
		if good && err != nil {
			t.Errorf("%04o: %v", mode, err)
		}
		if !good && (err == nil || !strings.Contains(err.Error(), "chmod 600")) {
			t.Errorf("%04o: %v", mode, err)
		}
	}
	if _, err := Open(t.TempDir(), ""); err == nil {
		t.Error("a folder was taken for a ring")
	}
}

// keysetOf is a keyset's JSON, made by Tink from keys of these bytes.
func keysetOf(t *testing.T, variant aesgcm.Variant, keys ...[]byte) string {
	t.Helper()
	manager := keyset.NewManager()
	for i, secret := range keys {
		parameters, err := aesgcm.NewParameters(aesgcm.ParametersOpts{KeySizeInBytes: len(secret), IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: variant})
		if err != nil {
			t.Fatal(err)
		}
		id := uint32(0)
		if variant != aesgcm.VariantNoPrefix {
			id = uint32(1000 + i)
		}
		key, err := aesgcm.NewKey(secretdata.NewBytesFromData(secret, insecuresecretdataaccess.Token{}), id, parameters)
		if err != nil {
			t.Fatal(err)
		}
		id, err = manager.AddKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.SetPrimary(id); err != nil {
			t.Fatal(err)
		}
	}
	handle, err := manager.Handle()
	if err != nil {
		t.Fatal(err)
	}
	return clear(t, handle)
}

func clear(t *testing.T, handle *keyset.Handle) string {
	t.Helper()
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func fresh(t *testing.T, template *tinkpb.KeyTemplate) string {
	t.Helper()
	handle, err := keyset.NewHandle(template)
	if err != nil {
		t.Fatal(err)
	}
	return clear(t, handle)
}

func TestOpenRefusesABadRing(t *testing.T) {
	good := fresh(t, aead.AES256GCMKeyTemplate())
	counted := make([]byte, 32)
	for i := range counted {
		counted[i] = byte(i * 7)
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":               {" \n", errEmpty},
		"a word":              {"changeme", errMalformed},
		"not a keyset":        {`{"a": 1}`, errMalformed},
		"cut off":             {good[:len(good)/2], errMalformed},
		"no keys":             {`{"primaryKeyId": 1, "key": []}`, errMalformed},
		"too large":           {good + strings.Repeat(" ", largest), errMalformed},
		"another primary":     {strings.Replace(good, `"primaryKeyId":`, `"primaryKeyId":1`, 1), errMalformed},
		"AES-128":             {fresh(t, aead.AES128GCMKeyTemplate()), errShort},
		"another cipher":      {fresh(t, aead.ChaCha20Poly1305KeyTemplate()), errKind},
		"no cipher at all":    {fresh(t, prf.HMACSHA256PRFKeyTemplate()), errKind},
		"without key ids":     {fresh(t, aead.AES256GCMNoPrefixKeyTemplate()), errKind},
		"zeros":               {keysetOf(t, aesgcm.VariantTink, make([]byte, 32)), errSample},
		"counted up":          {keysetOf(t, aesgcm.VariantTink, counted), errSample},
		"a typed sentence":    {keysetOf(t, aesgcm.VariantTink, []byte("a quick brown fox jumps over dog")), errSample},
		"one good, one zeros": {keysetOf(t, aesgcm.VariantTink, make([]byte, 32), []byte("\x91\x02\xfe\x8a\x33\x70\xc4\x1d\x5b\xe6\x09\xaf\x48\xd7\x62\x3c\xbb\x14\x80\xf5\x2e\x97\x6d\xca\x51\x0b\xe9\x36\xa2\x7f\xd8\x43")), errSample},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keyring.json")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path, "")
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup") {
				t.Errorf("not one line that says what to do: %q", err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != c.text {
				t.Error("the refused file was changed")
			}
			if strings.TrimSpace(c.text) == "" {
				return // an empty variable is one that is not set
			}
			if _, err := Open(filepath.Join(t.TempDir(), "none"), c.text); !errors.Is(err, c.want) {
				t.Errorf("from the environment: %v", err)
			}
		})
	}
}

// The error must not repeat the key that it refuses.
func TestRefusalKeepsTheKeySecret(t *testing.T) {
	good := fresh(t, aead.AES256GCMKeyTemplate())
	var parsed struct {
		Key []struct {
			KeyData struct {
				Value string `json:"value"`
			} `json:"keyData"`
		} `json:"key"`
	}
	if err := json.Unmarshal([]byte(good), &parsed); err != nil || parsed.Key[0].KeyData.Value == "" {
		t.Fatal(err)
	}
	secret := parsed.Key[0].KeyData.Value
	_, err := Open("", good[:len(good)-3]+secret)
	if err == nil || strings.Contains(err.Error(), secret[:8]) {
		t.Errorf("got %v", err)
	}
}

func TestOpenFromTheEnvironmentTouchesNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	text := fresh(t, aead.AES256GCMKeyTemplate())
	first, err := Open(path, text)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(path, text)
	if err != nil || first.PrimaryID() != second.PrimaryID() {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

// A ring in the middle of a rotation opens what either key sealed, and not what a
// disabled one did.
func TestRingOfSeveralKeys(t *testing.T) {
	manager := keyset.NewManager()
	old, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.SetPrimary(old); err != nil {
		t.Fatal(err)
	}
	open := func() *Ring {
		t.Helper()
		handle, err := manager.Handle()
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open("", clear(t, handle))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	sealed, err := open().Seal([]byte("secret"), seed)
	if err != nil {
		t.Fatal(err)
	}
	added, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.SetPrimary(added); err != nil {
		t.Fatal(err)
	}
	both := open()
	if both.PrimaryID() != added || !both.Has(old) || !both.Has(added) {
		t.Error("the ring does not know its keys")
	}
	if _, err := both.Open(sealed, seed); err != nil {
		t.Error(err)
	}
	if err := manager.Disable(old); err != nil {
		t.Fatal(err)
	}
	left := open()
	if left.Has(old) {
		t.Error("a disabled key counts")
	}
	if _, err := left.Open(sealed, seed); err == nil || !strings.Contains(err.Error(), "not in the key ring") {
		t.Errorf("got %v", err)
	}
}
