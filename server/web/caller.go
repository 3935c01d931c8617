package web

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"
)

// Client is what is known about whoever sends a request, signed in or not.
type Client struct {
	// RequestID is ours, of 32 hexadecimal digits; it is in the answer and the log.
	RequestID string
	// Address is the client's, IPv4 also where it came as IPv4-mapped IPv6.
	Address netip.Addr
	// Network is what limits count by: an IPv4 address, or an IPv6 /64.
	Network string
	// Browser is a short label such as "Firefox on Linux", never what was sent.
	Browser string
	// BrowserID is the SHA-256 of the browser cookie's token, nil without one.
	BrowserID []byte
}

// Session is a live session with its person, as read for this request.
type Session struct {
	ID, UserID string
	// TokenHash is the SHA-256 of the token that was presented; the row may have got another one since.
	TokenHash   [sha256.Size]byte
	Name, Email string
	Role        string
	// MFA says that 2-step verification is on for the person.
	MFA bool
	// Requirement is what is asked of the person: off, allowed, required.
	Requirement string
	// Deadline is until when a required one may wait; zero without one.
	Deadline time.Time
	// ConfinedTo is "" or ConfinedToEnrolment.
	ConfinedTo string
	// Anew says that an enrolment link has opened it, and that what it enrols takes the
	// place of everything before. It has no second step, whatever the person has: MFA is
	// false in it.
	Anew bool
	// Recovery is what of a recovery of the person's is under way: "", asked, proved,
	// approved. In the session that it has led to it is "".
	Recovery string
	// SignedInWith are the methods that opened it, such as "password", "totp".
	SignedInWith []string
	// FreshUntil is when the fresh proof ends; zero without one.
	FreshUntil time.Time
	// FreshWith is the strongest method of that proof, "" without one.
	FreshWith string
	ExpiresAt time.Time
	// Held is the finder's own: what it keeps of the session between requests, nil where it keeps nothing.
	Held any
}

// Fresh reports whether the session has fresh proof now.
func (s *Session) Fresh(now time.Time) bool { return s.FreshUntil.After(now) }

// ConfinedToEnrolment is the Session.ConfinedTo of somebody who may do nothing
// but enrol.
const ConfinedToEnrolment = "enrolment"

// Password is the Session.FreshWith, and the first of SignedInWith, of who gave
// a password and nothing else.
const Password = "password"

// PendingSignIn is a sign-in whose password was right.
type PendingSignIn struct {
	ID, UserID string
	ExpiresAt  time.Time
	// Unopposed: no wrong code, delay or lock stood against it when it was looked up.
	Unopposed bool
}

// Caller is who calls an operation. Session is set exactly where the Access
// needs a session, and for a Visitor who is signed in; Pending exactly where it
// is Pending.
type Caller struct {
	Client
	Session *Session
	Pending *PendingSignIn
}

// Authenticator finds what a cookie stands for; token is its 32 raw bytes. Both
// methods answer nil without an error when there is no such thing, or no more.
// Session is called once for every request that needs one.
type Authenticator interface {
	Session(ctx context.Context, token []byte) (*Session, error)
	Pending(ctx context.Context, token []byte) (*PendingSignIn, error)
}
