package hashing

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
)

// Params is the cost of one argon2id computation (RFC 9106). Memory is in KiB, Time is the number of passes over it,
// Threads the number of lanes.
type Params struct {
	Memory  uint32
	Time    uint32
	Threads uint8
}

// The costs used when nothing else is set. Both are rows of OWASP's table of equal strength; backup codes take the
// one with less memory, because their 65 random bits need no help from it.
var (
	Passwords   = Params{Memory: 46 * 1024, Time: 1, Threads: 1}
	BackupCodes = Params{Memory: 12 * 1024, Time: 3, Threads: 1}
)

// What new hashes carry: 128 bits of salt, 256 bits of key, as RFC 9106 section 4 recommends.
const (
	saltLength = 16
	keyLength  = 32
)

// The bounds that a stored string or a setting may not leave, whatever it says: a row written by somebody else must
// not be able to take the memory of the process, or to panic in the library (t = 0, p = 0).
const (
	maxMemory    = 1024 * 1024 // KiB, that is 1 GiB
	maxTime      = 10
	maxThreads   = 16
	minSaltBytes = 16
	maxSaltBytes = 64
	minKeyBytes  = 16
	maxKeyBytes  = 64
	maxPHC       = 256 // the longest string that the bounds above can produce has 223 characters
)

// MaxSecret is the longest secret, in bytes, that is ever hashed.
const MaxSecret = 1024

// floor holds the equivalent minimum settings for argon2id of the OWASP Password Storage Cheat Sheet.
var floor = []Params{
	{Memory: 47104, Time: 1, Threads: 1},
	{Memory: 19456, Time: 2, Threads: 1},
	{Memory: 12288, Time: 3, Threads: 1},
	{Memory: 9216, Time: 4, Threads: 1},
	{Memory: 7168, Time: 5, Threads: 1},
}

// CheckFloor says whether a setting may be used in production: at least as much memory and as many passes as one row
// of the OWASP table, and inside the bounds that stored hashes are held to. The error is one line for the person who
// set it. The pool itself does not ask, so that tests can take a lower cost.
func CheckFloor(p Params) error {
	if err := p.check(); err != nil {
		return err
	}
	for _, least := range floor {
		if p.Memory >= least.Memory && p.Time >= least.Time {
			return nil
		}
	}
	return fmt.Errorf("argon2id with %s is under the OWASP minimum: use at least 46 MiB with 1 pass, 19 MiB with 2, 12 MiB with 3, 9 MiB with 4, or 7 MiB with 5", p)
}

// String shows the cost as it stands in a PHC string, "m=47104,t=1,p=1".
func (p Params) String() string { return fmt.Sprintf("m=%d,t=%d,p=%d", p.Memory, p.Time, p.Threads) }

// check holds p to the bounds. RFC 9106 section 3.1 wants at least 8 KiB for each lane.
func (p Params) check() error {
	switch {
	case p.Threads < 1 || p.Threads > maxThreads:
		return fmt.Errorf("argon2id with %s: the number of threads must be 1 to %d", p, maxThreads)
	case p.Time < 1 || p.Time > maxTime:
		return fmt.Errorf("argon2id with %s: the number of passes must be 1 to %d", p, maxTime)
	case p.Memory < 8*uint32(p.Threads) || p.Memory > maxMemory:
		return fmt.Errorf("argon2id with %s: the memory must be 8 KiB for each thread to 1 GiB", p)
	}
	return nil
}

// work is what a computation costs, in KiB written: the unit in which the pool reckons its queue.
func (p Params) work() float64 { return float64(p.Memory) * float64(p.Time) }

// library turns p into what the argon2id package wants.
func (p Params) library() *argon2id.Params {
	return &argon2id.Params{
		Memory: p.Memory, Iterations: p.Time, Parallelism: p.Threads,
		SaltLength: saltLength, KeyLength: keyLength,
	}
}

// ErrHash is the fault of a stored string that is no argon2id hash, or one outside the bounds.
var ErrHash = errors.New("not a usable argon2id hash")

// decode reads a PHC string and holds it to the bounds before anything of its size is allocated. Only the canonical
// spelling passes: the library's reader would skip what trails the parameters.
func decode(phc string) (p Params, salt, key int, err error) {
	if len(phc) > maxPHC {
		return Params{}, 0, 0, fmt.Errorf("%w: %d characters", ErrHash, len(phc))
	}
	read, saltBytes, keyBytes, err := argon2id.DecodeHash(phc)
	if err != nil {
		return Params{}, 0, 0, fmt.Errorf("%w: %w", ErrHash, err)
	}
	p = Params{Memory: read.Memory, Time: read.Iterations, Threads: read.Parallelism}
	if err := p.check(); err != nil {
		return Params{}, 0, 0, fmt.Errorf("%w: %w", ErrHash, err)
	}
	salt, key = len(saltBytes), len(keyBytes)
	if salt < minSaltBytes || salt > maxSaltBytes {
		return Params{}, 0, 0, fmt.Errorf("%w: a salt of %d bytes", ErrHash, salt)
	}
	if key < minKeyBytes || key > maxKeyBytes {
		return Params{}, 0, 0, fmt.Errorf("%w: a key of %d bytes", ErrHash, key)
	}
	if phc != encode(p, saltBytes, keyBytes) {
		return Params{}, 0, 0, fmt.Errorf("%w: not in its canonical form", ErrHash)
	}
	return p, salt, key, nil
}

func encode(p Params, salt, key []byte) string {
	plain := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, p, plain.EncodeToString(salt), plain.EncodeToString(key))
}

// NeedsRehash says whether a hash should be made anew at the next right secret: when the setting has more memory or
// more passes than it was made with, or when it is unreadable or shorter than what is made now. A setting that was
// lowered leaves stronger hashes alone.
func NeedsRehash(phc string, params Params) bool {
	p, salt, key, err := decode(phc)
	if err != nil {
		return true
	}
	return p.Memory < params.Memory || p.Time < params.Time || salt < saltLength || key < keyLength
}

// Decoy makes a PHC string of the given cost that no secret opens: what is verified against when there is no account
// or no code, so that the answer costs the same. Making it computes nothing.
func Decoy(params Params) string {
	noise := make([]byte, saltLength+keyLength)
	rand.Read(noise) //nolint:forbidigo // it stands for no secret; crypto/rand never fails, it ends the process instead
	return encode(params, noise[:saltLength], noise[saltLength:])
}
