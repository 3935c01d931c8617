// Package backup is the file that a backup is: a zip archive with the database, what it is of, and, where that was
// asked for, the key ring. It knows nothing of what the database means.
package backup

import (
	"archive/zip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// format is the version of the archive's own layout.
const format = 1

// The archive's entries.
const (
	manifestEntry = "backup.json"
	databaseEntry = "secondstep.db"
	keysEntry     = "keyring.json"
)

// largestNote bounds the entries that are read into memory, in bytes.
const largestNote = 1 << 20

// Manifest says what a backup is of.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of the Secondstep that made it
	MadeAt  time.Time `json:"made_at"`
	People  int       `json:"people"`
	Keys    []uint32  `json:"keys"` // ids of the data keys that the stored secrets are sealed with
	Digest  string    `json:"sha256"`
}

// Write makes the file, which its owner alone may read, whole or not at all: from the database's file and, unless keys
// is empty, with the text of the key ring. It fails with fs.ErrExist where there is a file of that name.
func Write(path string, about Manifest, database string, keys []byte) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s: %w", path, fs.ErrExist), err)
	}
	draft := path + "." + rand.Text() //nolint:forbidigo // a name that no other draft has
	file, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(draft)) }()
	err = write(file, about, database, keys)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(draft, path); err != nil { // fails where the name was taken meanwhile
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func write(to io.Writer, about Manifest, database string, keys []byte) (err error) {
	archive := zip.NewWriter(to)
	defer func() { err = errors.Join(err, archive.Close()) }()
	about.Format = format
	if about.Digest, err = copyIn(archive, database); err != nil {
		return err
	}
	note, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return err
	}
	if err := put(archive, manifestEntry, note); err != nil || len(keys) == 0 {
		return err
	}
	return put(archive, keysEntry, keys)
}

// copyIn adds the database and answers its digest.
func copyIn(archive *zip.Writer, database string) (string, error) {
	file, err := os.Open(database)
	if err != nil {
		return "", err
	}
	defer file.Close()
	entry, err := archive.Create(databaseEntry)
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	if _, err := io.Copy(io.MultiWriter(entry, digest), file); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

func put(archive *zip.Writer, name string, content []byte) error {
	entry, err := archive.Create(name)
	if err != nil {
		return err
	}
	_, err = entry.Write(content)
	return err
}

// Backup is a file that was opened.
type Backup struct {
	Manifest

	file *zip.ReadCloser
}

// Open opens a backup and reads what it is of.
func Open(path string) (*Backup, error) {
	file, err := zip.OpenReader(path)
	switch {
	case errors.Is(err, zip.ErrFormat):
		return nil, fmt.Errorf("%s is not a backup of Secondstep, or not the whole file", path)
	case err != nil:
		return nil, err
	}
	b := &Backup{file: file}
	note, err := b.read(manifestEntry)
	if err == nil && note == nil {
		err = errors.New("it says nothing about itself")
	}
	if err == nil {
		err = json.Unmarshal(note, &b.Manifest)
	}
	if err == nil && b.Format > format {
		err = errors.New("a newer Secondstep made it: restore it with that one")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s is not a backup that can be restored: %w", path, err), file.Close())
	}
	return b, nil
}

// Close closes the file.
func (b *Backup) Close() error { return b.file.Close() }

// KeyRing is the text of the key ring; nil where the backup was made without.
func (b *Backup) KeyRing() ([]byte, error) { return b.read(keysEntry) }

// Database writes the database into a new file, and fails where it is not what was backed up.
func (b *Backup) Database(path string) (err error) {
	entry, err := b.file.Open(databaseEntry)
	if err != nil {
		return fmt.Errorf("the backup's database: %w", err)
	}
	defer func() { err = errors.Join(err, entry.Close()) }()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	digest := sha256.New()
	_, err = io.Copy(io.MultiWriter(file, digest), entry)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("the backup's database: %w", err)
	}
	if hex.EncodeToString(digest.Sum(nil)) != b.Digest {
		return errors.New("the backup's database is not what was backed up: its SHA-256 is another")
	}
	return nil
}

// read is a small entry; nil where there is none.
func (b *Backup) read(name string) (content []byte, err error) {
	entry, err := b.file.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, entry.Close()) }()
	return io.ReadAll(io.LimitReader(entry, largestNote))
}
