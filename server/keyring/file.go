package keyring

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// largest is more than any key ring needs, in bytes.
const largest = 1 << 20

// Open reads the ring from fromEnvironment, the text of a key ring, or, where that is
// empty, from the file at path, which it makes when there is none: mode 0600, with one
// new key, and of two processes that start at once both end up with the same file.
func Open(path, fromEnvironment string) (*Ring, error) {
	ring, err := OpenExisting(path, fromEnvironment)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("the key ring %s cannot be made: %w", path, err)
	}
	return OpenExisting(path, "")
}

// OpenExisting is Open for a database that holds sealed secrets already: a missing file
// is refused (the error is fs.ErrNotExist), since a new key could not open them.
func OpenExisting(path, fromEnvironment string) (*Ring, error) {
	if fromEnvironment != "" {
		return parse([]byte(fromEnvironment), "the key ring in the environment")
	}
	name := "the key ring " + path
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: put it back from the backup, the stored secrets cannot be read without it: %w", name, fs.ErrNotExist)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s is not ours to read: give it to the user that runs Secondstep (chown)", name)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	if mode := info.Mode().Perm(); mode&0o177 != 0 {
		return nil, fmt.Errorf("%s has mode %04o, so others may read or change it: chmod 600 it", name, mode)
	}
	text, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return parse(text, name)
}

// create makes the file with one new key, unless another process has made it meanwhile.
// The content is on the disk before it gets its name, and a link fails when the name is
// taken: nobody ever sees half a file, and nobody's file is replaced.
func create(path string) (err error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return err
	}
	draft := filepath.Join(folder, "."+filepath.Base(path)+"."+rand.Text()) //nolint:forbidigo // a name that no other draft has
	file, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(draft)) }()
	_, err = file.Write(text.Bytes())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(draft, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(folder)
}

// syncFolder puts the new name on the disk too: a key lost in a power cut would take
// with it every secret sealed meanwhile.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
