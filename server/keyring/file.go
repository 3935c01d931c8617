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
	"syscall"

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
	ring := new(Ring)
	var read *keys
	var err error
	if fromEnvironment != "" {
		read, err = parse([]byte(fromEnvironment), "the key ring in the environment")
	} else {
		ring.path = path
		read, err = readFile(path)
	}
	if err != nil {
		return nil, err
	}
	ring.held.Store(read)
	return ring, nil
}

// readFile reads and judges the ring's file.
func readFile(path string) (*keys, error) {
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
	read, err := parse(text, name)
	if err != nil {
		return nil, err
	}
	read.file = info
	return read, nil
}

// create makes the file with one new key, unless another process has made it meanwhile.
// A link fails when the name is taken, so nobody's file is replaced.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	text, err := written(handle)
	if err != nil {
		return err
	}
	return put(path, text, nil, func(draft string) error {
		if err := os.Link(draft, path); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}

// Text is the newest ring as text, the keys themselves included.
func (r *Ring) Text() ([]byte, error) {
	held, err := r.follow()
	if err != nil {
		return nil, err
	}
	return written(held.handle)
}

// Place makes the file at path of a ring's text, and fails with fs.ErrExist where there
// is one.
func Place(path string, text []byte) error {
	if _, err := parse(text, "the key ring of the backup"); err != nil {
		return err
	}
	return put(path, text, nil, func(draft string) error { return os.Link(draft, path) })
}

// replace puts another ring in the place of the file, which was as the info says, and
// leaves it to its owner, whoever does it.
func replace(path string, text []byte, before fs.FileInfo) error {
	path, err := filepath.EvalSymlinks(path) // a rename would replace the link
	if err != nil {
		return err
	}
	left, err := filepath.Glob(draftOf(path) + "*")
	if err != nil {
		return err
	}
	for _, draft := range left { // of a process that was killed; it may hold a key that is retired now
		if err := os.Remove(draft); err != nil {
			return err
		}
	}
	return put(path, text, before, func(draft string) error { return os.Rename(draft, path) })
}

func draftOf(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".")
}

// put writes a draft and gives it its name. The content is on the disk before, so nobody
// ever sees half a file.
func put(path string, text []byte, owned fs.FileInfo, name func(draft string) error) (err error) {
	draft := draftOf(path) + rand.Text() //nolint:forbidigo // a name that no other draft has
	file, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.Remove(draft); !errors.Is(removed, fs.ErrNotExist) { // a rename has taken it
			err = errors.Join(err, removed)
		}
	}()
	if owned != nil {
		if owner, ok := owned.Sys().(*syscall.Stat_t); ok {
			if err := file.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
				return errors.Join(fmt.Errorf("it can't be left to its owner, do this as that user: %w", err), file.Close())
			}
		}
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := name(draft); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// written is a ring as text.
func written(handle *keyset.Handle) ([]byte, error) {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
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
