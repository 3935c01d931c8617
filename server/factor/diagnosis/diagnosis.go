// Package diagnosis says why a code was refused, in terms that the person can act on.
//
// It is pure: no clock, no rows, no requests. What holds:
//   - it never widens what is accepted. A code is accepted within the window alone, of an acceptable secret, later than
//     its last step and not spent; the long search only ever explains;
//   - only the person's own secrets are compared;
//   - a code recognised in the future is burned, that one step and no other, because whoever saw it typed could wait;
//   - clocks are reported, never learned.
package diagnosis

import "time"

// Reason is the machine name of a refusal.
type Reason string

// The reasons there are. Those of backup codes, of tries and of time that ran out are found by the rooms that count
// them; they stand here because all refusals of codes are told alike.
const (
	WrongCode          Reason = "wrong_code"
	AlreadyUsed        Reason = "already_used"
	OlderThanLast      Reason = "older_than_last"
	ClockBehind        Reason = "clock_behind"
	ClockAhead         Reason = "clock_ahead"
	PreviousSetup      Reason = "previous_setup"
	SetupNotFinished   Reason = "setup_not_finished"
	Malformed          Reason = "malformed"
	EnrolmentExpired   Reason = "enrolment_expired"
	TooManyAttempts    Reason = "too_many_attempts"
	SignInExpired      Reason = "sign_in_expired"
	BackupCodeUsed     Reason = "backup_code_used"
	BackupCodeReplaced Reason = "backup_code_replaced"
	NoBackupCodesLeft  Reason = "no_backup_codes_left"
)

// What was expected of a malformed code.
const (
	AppCode    = "app_code"
	BackupCode = "backup_code"
)

// Diagnosis is a refusal as the client reads it. Only Reason is always there; the other members are absent where they
// say nothing, which for numbers and UsedHere is nil, because zero and false do say something.
type Diagnosis struct {
	Reason             Reason     `json:"reason"`
	AttemptsLeft       *int       `json:"attempts_left,omitempty"`
	BreakNext          bool       `json:"break_next,omitempty"` // of a sign-in: when the tries that are left are gone, starting again does not help at once
	RetryAfterSeconds  *int       `json:"retry_after_seconds,omitempty"`
	Locked             bool       `json:"locked,omitempty"`               // codes are refused until somebody lifts it
	KeptForSignIn      bool       `json:"kept_for_sign_in,omitempty"`     // no more tests: the tries that are left are kept for signing in
	StartAgain         bool       `json:"start_again,omitempty"`          // this sign-in or enrolment takes no code any more; a new one does
	OffsetSeconds      *int       `json:"offset_seconds,omitempty"`       // of the phone's clock; minus is behind
	NextCodeInSeconds  *int       `json:"next_code_in_seconds,omitempty"` // until the first code that can be accepted, ≥ 1
	UsedAt             *time.Time `json:"used_at,omitempty"`
	UsedBrowser        string     `json:"used_browser,omitempty"` // "Firefox on Linux"
	UsedHere           *bool      `json:"used_here,omitempty"`    // by the browser that asks now
	ReplacedAt         *time.Time `json:"replaced_at,omitempty"`
	SetupState         string     `json:"setup_state,omitempty"`  // of a PreviousSetup: what became of the setup that the code is of, or InUse
	SetupLabel         string     `json:"setup_label,omitempty"`  // the entry of the app to look for
	OtherLabels        []string   `json:"other_labels,omitempty"` // further entries that would do
	OldLabel           string     `json:"old_label,omitempty"`    // the entry that the code came from
	Expected           string     `json:"expected,omitempty"`     // AppCode or BackupCode
	NextNumber         *int       `json:"next_number,omitempty"`  // the lowest number of an unused backup code
	Remaining          *int       `json:"remaining,omitempty"`    // unused backup codes
	ServerClockSuspect bool       `json:"server_clock_suspect,omitempty"`
}

// Facts are what an event keeps beside the reason: whose clock is wrong, and what became of an earlier setup; nil where
// there is neither.
func (d *Diagnosis) Facts() map[string]any {
	switch {
	case d.SetupState != "":
		return map[string]any{"setup_state": d.SetupState}
	case d.OffsetSeconds == nil:
		return nil
	}
	facts := map[string]any{"offset_seconds": *d.OffsetSeconds}
	if d.ServerClockSuspect {
		facts["server_clock_suspect"] = true
	}
	return facts
}

// State is what a secret may do.
type State int

// The states of a secret.
const (
	Active  State = iota // proves the second step
	Pending              // is being enrolled: proves nothing but that enrolment
	Retired              // replaced, abandoned or turned off: proves nothing
)

// What became of the setup that a code of a PreviousSetup is of.
const (
	InUse     = "in_use" // nothing: its app works, and another one is being set up
	Replaced  = "replaced"
	Abandoned = "abandoned"
	Disabled  = "disabled" // with 2-step verification
	Removed   = "removed"
)

// Secret is one of the person's secrets and what is known of its steps.
type Secret struct {
	ID         string
	Name       string
	Label      string // of the entry in the app
	State      State
	Key        []byte
	LastStep   int64     // the last step accepted
	LastUsedAt time.Time // zero: never
	RetiredAt  time.Time // of a Retired one
	Why        string    // it was retired: Replaced, Abandoned, Disabled or Removed
	Spent      map[int64]Spent
}

// Spent is what became of a step: it was accepted, or burned when it was recognised before its time.
type Spent struct {
	At        time.Time
	Browser   string // "Firefox on Linux"
	BrowserID []byte // nil without one
	Burned    bool
}

// Question is a code and everything it is judged by.
type Question struct {
	Code       string // six digits, as totp.Shape gives them
	Now        time.Time
	Window     int64 // steps accepted each side of now: 1, or 0
	Secrets    []Secret
	Enrolling  string    // the Pending secret that may be accepted; empty where the Active ones may
	BrowserID  []byte    // of the browser that asks; nil without one
	BrowserNow time.Time // its clock; zero when it did not say
}

// Match is a step that may be accepted. Whoever spends it must still find it unspent.
type Match struct {
	SecretID string
	Step     int64
}

// Burn is a step that must never be accepted, because its code was shown before its time.
type Burn struct {
	SecretID string
	Step     int64
}

// Result is either a Match, or a Diagnosis with perhaps something to Burn.
type Result struct {
	Match     *Match
	Diagnosis *Diagnosis
	Burn      *Burn
}

// Acceptable is the step that the code may be accepted for, by the same rule as Examine's and without its long search;
// nil where there is none.
func Acceptable(q Question) *Match { return newSearch(q).acceptable() }

// Examine judges a code. It always gives a Match or a Diagnosis, never both.
func Examine(q Question) Result {
	s := newSearch(q)
	if match := s.acceptable(); match != nil {
		return Result{Match: match}
	}
	found := s.likeliest()
	if found == nil {
		return Result{Diagnosis: &Diagnosis{Reason: WrongCode, SetupLabel: s.lookFor(), OtherLabels: s.others()}}
	}
	return Result{Diagnosis: s.explain(*found), Burn: s.burn(*found)}
}
