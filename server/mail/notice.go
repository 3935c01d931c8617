package mail

import "time"

// Kind is what a mail tells.
type Kind string

// Kinds of mails. Each has words of its own in every file of words/.
const (
	TurnedOn            Kind = "turned_on"
	TurnedOff           Kind = "turned_off"
	AppAdded            Kind = "app_added"
	AppReplaced         Kind = "app_replaced"
	AppRemoved          Kind = "app_removed"
	KeyAdded            Kind = "key_added"
	KeyRemoved          Kind = "key_removed"
	KeySuspect          Kind = "key_suspect"
	CodesChanged        Kind = "codes_changed"
	CodeUsed            Kind = "code_used"
	CodesVoided         Kind = "codes_voided"
	PasswordChanged     Kind = "password_changed"
	PasswordChosen      Kind = "password_chosen" // through the mailbox
	PasswordSet         Kind = "password_set"
	RequirementOff      Kind = "requirement_off"
	RequirementAllowed  Kind = "requirement_allowed"
	RequirementRequired Kind = "requirement_required"
	RollOut             Kind = "roll_out" // the same, to many at once, with a message
	Reminder            Kind = "reminder" // of what is required and not done
	AlarmRaised         Kind = "alarm_raised"
	SecondStepRefused   Kind = "second_step_refused"
	NewBrowser          Kind = "new_browser"
	EmailAsked          Kind = "email_asked"     // that the address is to change, to the one that it still is
	EmailConfirmed      Kind = "email_confirmed" // that it is changed, to the new one
	EmailTaken          Kind = "email_taken"     // to the person whose address somebody else wanted
	EmailStopped        Kind = "email_stopped"
	ResetStopped        Kind = "reset_stopped"
	TicketNew           Kind = "ticket_new"     // to the support
	TicketReplied       Kind = "ticket_replied" // to the support
	RecoveryTold        Kind = "recovery_told"  // to the addresses of before alone
	RecoveryRefused     Kind = "recovery_refused"
	RecoveryStopped     Kind = "recovery_stopped"
	RecoveryCancelled   Kind = "recovery_cancelled"
	RecoveryExpired     Kind = "recovery_expired"
	RecoveryDone        Kind = "recovery_done"
)

// Kinds of mails that carry a link of their own (Letter).
const (
	Invitation    Kind = "invitation"     // to somebody who is to join
	EnrolmentLink Kind = "enrolment_link" // to enrol anew with, beside the password
	EmailProof    Kind = "email_proof"    // to a new address, to prove that it is theirs
	EmailChanged  Kind = "email_changed"  // to the old one, to stop it
	Reset         Kind = "reset"          // to stop it
	PasswordLink  Kind = "password_link"  // to choose a new password

	TicketProof      Kind = "ticket_proof"      // to an address, to prove that a ticket is from it
	TicketAnswered   Kind = "ticket_answered"   // to whoever wrote it
	TicketSolved     Kind = "ticket_solved"     // to whoever wrote it
	RecoveryProof    Kind = "recovery_proof"    // to prove the address, having asked for a way back in
	RecoveryAsked    Kind = "recovery_asked"    // to stop that
	RecoveryApproved Kind = "recovery_approved" // to enrol anew with, beside the password
	RecoveryBegins   Kind = "recovery_begins"   // to an administrator, who can use the waiting period
	RecoveryWaits    Kind = "recovery_waits"    // to an administrator, who can decide now
)

// Kinds are all of them.
var Kinds = []Kind{
	TurnedOn, TurnedOff, AppAdded, AppReplaced, AppRemoved, KeyAdded, KeyRemoved, KeySuspect, CodesChanged, CodeUsed,
	CodesVoided, PasswordChanged, PasswordChosen, PasswordSet, RequirementOff, RequirementAllowed, RequirementRequired, RollOut,
	Reminder, AlarmRaised, SecondStepRefused, NewBrowser, EmailAsked, EmailConfirmed, EmailTaken, EmailStopped, ResetStopped,
	TicketNew, TicketReplied, RecoveryTold, RecoveryRefused, RecoveryStopped, RecoveryCancelled, RecoveryExpired, RecoveryDone,
	Invitation, EnrolmentLink, EmailProof, EmailChanged, Reset, PasswordLink, TicketProof, TicketAnswered, TicketSolved,
	RecoveryProof, RecoveryAsked, RecoveryApproved, RecoveryBegins, RecoveryWaits,
}

// Who did what a mail tells of.
const (
	BySelf          = "self" // the person, or somebody who seems to be
	ByAdministrator = "administrator"
	ByConsole       = "console"
)

// Notice is what a person is to be told of, now.
type Notice struct {
	UserID string
	Kind   Kind
	Facts  Facts
}

// Facts are what is known of it.
type Facts struct {
	By      string `json:"by"`
	Browser string `json:"browser,omitempty"` // from where; empty where that is not for everybody
	Address string `json:"address,omitempty"`

	Until   *time.Time `json:"until,omitempty"`    // a deadline
	RollOut string     `json:"roll_out,omitempty"` // whose message is in it

	Reference string `json:"reference,omitempty"` // of a ticket
}
