// Package totp is the arithmetic of time-based one-time passwords (RFC 6238 over RFC 4226) and of what an authenticator
// app is told: pure rules, which know no person and no row.
package totp

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's own, and the only one that every app honours
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/secondstep/secondstep/server/factor/typed"
)

// The one set of parameters that every authenticator app honours (some ignore others silently): SHA-1, 6 digits, and a
// new code every 30 seconds.
const (
	Period = 30 // seconds a code is shown
	Digits = 6
)

// Step is the number of the period that t falls in, counted from 1970 (RFC 6238 section 4.2). It is negative before.
func Step(t time.Time) int64 {
	seconds := t.Unix()
	step := seconds / Period
	if seconds%Period < 0 {
		step--
	}
	return step
}

// Begin is the moment at which a step begins, in UTC.
func Begin(step int64) time.Time { return time.Unix(step*Period, 0).UTC() }

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// Code is the code of one step, six ASCII digits (RFC 6238, RFC 4226 section 5.3).
func Code(secret []byte, step int64) string {
	code, err := hotp.GenerateCodeCustom(base32Plain.EncodeToString(secret), uint64(step),
		hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil { // only a secret that is no base32 is refused, and this one was encoded in the line above
		panic(fmt.Sprintf("code of a step: %v", err))
	}
	return code
}

// Match gives the steps from…to, both included and in order, whose code is the given one. Every step is compared in
// constant time, and all of them are, so the time taken says nothing about which one matched.
//
// It computes codes itself (RFC 4226 section 5.3), with one keyed hash for all steps: the diagnosis asks about some 400
// steps of each secret, and Code, which begins anew from base32 each time, takes several times as long. A test holds the
// two equal.
func Match(secret []byte, code string, from, to int64) []int64 {
	wanted, ok := number(code)
	if !ok {
		return nil
	}
	var steps []int64
	mac := hmac.New(sha1.New, secret)
	var counter [8]byte
	var sum [sha1.Size]byte
	for step := from; step <= to; step++ {
		mac.Reset()
		binary.BigEndian.PutUint64(counter[:], uint64(step))
		mac.Write(counter[:])
		mac.Sum(sum[:0])
		offset := sum[sha1.Size-1] & 0xf
		value := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
		if subtle.ConstantTimeEq(int32(value%1_000_000), wanted) == 1 {
			steps = append(steps, step)
		}
	}
	return steps
}

// number reads a code of exactly six ASCII digits.
func number(code string) (value int32, ok bool) {
	if len(code) != Digits {
		return 0, false
	}
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return 0, false
		}
		value = value*10 + int32(code[i]-'0')
	}
	return value, true
}

// maxTyped is how many bytes somebody may type around six digits.
const maxTyped = 128

// Shape reads what somebody typed: white space and dashes are removed, once, and what is left must be exactly six ASCII
// digits. The code it gives is what must be compared and counted.
func Shape(text string) (code string, ok bool) {
	if len(text) > maxTyped {
		return "", false
	}
	code = typed.Compact(text)
	if _, ok := number(code); !ok {
		return "", false
	}
	return code, true
}
