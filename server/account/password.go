package account

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/secondstep/secondstep/server/problem"
)

// Bounds of a password (security.md row 10). Characters are code points; a password is never trimmed nor cut.
const (
	MinPassword      = 12   // characters
	MaxPasswordBytes = 1024 // as many as are ever hashed
)

// PasswordRules say what a new password must be like. Brand is the installation's name: one of the words that a password
// may not mostly be made of.
type PasswordRules struct{ Brand string }

// Check says what is wrong with a new password of a person with this name and address; nothing means that it may be
// used. The codes are password_too_short {min}, password_too_long {max}, password_too_common and
// password_contains_context. Nothing is demanded of its characters.
func (r PasswordRules) Check(password, name, email string) []problem.Field {
	wrong := func(code string, params map[string]any) problem.Field {
		return problem.Field{Name: "password", Code: code, Params: params}
	}
	switch {
	case len(password) > MaxPasswordBytes:
		return []problem.Field{wrong("password_too_long", map[string]any{"max": MaxPasswordBytes})}
	case utf8.RuneCountInString(password) < MinPassword:
		return []problem.Field{wrong("password_too_short", map[string]any{"min": MinPassword})}
	}
	var fields []problem.Field
	folded := fold(password)
	if common(folded) {
		fields = append(fields, wrong("password_too_common", nil))
	}
	words := r.context(name, email)
	if slices.ContainsFunc(readings(folded), func(s string) bool { return mostly(s, words) }) {
		fields = append(fields, wrong("password_contains_context", nil))
	}
	return fields
}

// The signs that people put for letters; a 1 is an i as often as an l.
var (
	asI = strings.NewReplacer("0", "o", "1", "i", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t")
	asL = strings.NewReplacer("0", "o", "1", "l", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t")
)

// readings are the words that a folded text can be read as.
func readings(folded string) []string {
	return []string{folded, asI.Replace(folded), asL.Replace(folded)}
}

//go:embed common_passwords.txt.gz
var commonPasswords []byte

// commonList is unpacked when somebody first sets a password. A sorted slice of one text takes a third of a map's memory.
var commonList = sync.OnceValue(func() []string {
	unpacked, err := gzip.NewReader(bytes.NewReader(commonPasswords))
	if err != nil {
		panic("the list of common passwords: " + err.Error())
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		panic("the list of common passwords: " + err.Error())
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
})

// maxListed is longer, in bytes, than any entry of the list.
const maxListed = 64

func listed(folded string) bool {
	if len(folded) > maxListed {
		return false
	}
	return slices.ContainsFunc(readings(folded), func(s string) bool {
		_, found := slices.BinarySearch(commonList(), s)
		return found
	})
}

// common says whether a folded password is one that is tried first: one of the list, also with anything but letters
// before and behind it, one short thing over and over, or a walk along the alphabet, the digits or the keyboard.
func common(s string) bool {
	return commonBase(s) || repeated(s) || walked(s)
}

func commonBase(s string) bool {
	bare := strings.TrimLeftFunc(s, notLetter)
	return listedBefore(s) || bare != s && listedBefore(bare)
}

// listedBefore looks s up, and what is left of it as its last characters are taken away one by one, down to its last
// letter: the list has "trustno1" and not "trustno".
func listedBefore(s string) bool {
	for s != "" {
		if listed(s) {
			return true
		}
		last, size := utf8.DecodeLastRuneInString(s)
		if !notLetter(last) {
			return false
		}
		s = s[:len(s)-size]
	}
	return false
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// maxUnit is how long the thing may be that a password only repeats, where it is no common password itself.
const maxUnit = 6

// repeated says whether s is one thing over and over, the last time perhaps cut short. That is asked of ASCII only: 64
// times one emoji is a password that nobody tries.
func repeated(s string) bool {
	if strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) {
		return false
	}
	for length := 1; length <= len(s)/2; length++ {
		if s[length:] == s[:len(s)-length] {
			return length <= maxUnit || commonBase(s[:length])
		}
	}
	return false
}

// walks are what people run a finger along, twice over, so that a walk may begin anywhere.
var walks = func() []string {
	var all []string
	for _, walk := range []string{
		"0123456789", "1234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
		"azertyuiopqsdfghjklmwxcvbn", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "q1w2e3r4t5y6u7i8o9p0",
	} {
		back := []byte(walk)
		slices.Reverse(back)
		all = append(all, walk+walk, string(back)+string(back))
	}
	return all
}()

func walked(s string) bool {
	return slices.ContainsFunc(walks, func(walk string) bool { return strings.Contains(walk, s) })
}

// leastWord is the shortest word that counts as context, in characters: initials stand in every other word.
const leastWord = 3

// context lists, folded and the longest first, the words that somebody who aims at this person tries: of the name, the
// address and the product.
func (r PasswordRules) context(name, email string) []string {
	local, domain, _ := strings.Cut(fold(email), "@")
	labels := strings.Split(domain, ".")
	if len(labels) > 1 {
		labels = labels[:len(labels)-1] // "org" tells nothing
	}
	words := []string{"secondstep", local}
	for _, source := range append(labels, local, fold(name), fold(r.Brand)) {
		parts := strings.FieldsFunc(source, func(c rune) bool { return notLetter(c) && !unicode.IsDigit(c) })
		words = append(words, strings.Join(parts, ""))
		words = append(words, parts...)
	}
	words = slices.DeleteFunc(words, func(w string) bool { return utf8.RuneCountInString(w) < leastWord })
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(words)
}

// mostly says whether at least half of the characters of s are in words, whatever stands between the letters.
func mostly(s string, words []string) bool {
	rest := strings.Map(func(r rune) rune {
		if notLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
	plain := utf8.RuneCountInString(rest)
	for _, word := range words {
		// What a word leaves stands apart, so that its ends don't make a new word.
		rest = strings.ReplaceAll(rest, word, "\x00")
	}
	left := utf8.RuneCountInString(strings.ReplaceAll(rest, "\x00", ""))
	return 2*(plain-left) >= utf8.RuneCountInString(s)
}
