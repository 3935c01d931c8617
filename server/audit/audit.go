// Package audit keeps the security events: who did what about whom, with which result, how and from where.
//
// An event is a row written in the transaction of what it records, so neither can exist without the other
// (security.md rows 71 and 72). Rows are only ever added. An event names people by id and never carries anything
// that somebody typed: no password, code, secret, token, address of mail or user agent. The exceptions are what
// administrators write so that others read it: the reason that they give, how they made sure of somebody, and the name of
// the installation.
package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

// Schema is the version of the event rows; a reader may rely on the meaning of each field per version.
const Schema = 1

// Results of an event.
const (
	OK      = "ok"      // it was done
	Refused = "refused" // the product said no; Reason says why
	Fault   = "fault"   // something of ours failed, and nothing was done
)

// Kinds of events. The list is the documented catalogue; docs/events.md says each in a sentence.
const (
	Setup                = "setup.completed"
	UserCreated          = "user.created"
	UserInvited          = "user.invited"
	InvitationRenewed    = "invitation.renewed"
	InvitationWithdrawn  = "invitation.withdrawn"
	UserJoined           = "user.joined"
	UserDisabled         = "user.disabled"
	UserEnabled          = "user.enabled"
	UserRemoved          = "user.removed"
	RoleChanged          = "role.changed"
	PasswordSet          = "password.set"
	PasswordChanged      = "password.changed"
	PasswordLinkSent     = "password_link.sent"
	NameChanged          = "name.changed"
	EmailAsked           = "email.asked"
	EmailWithdrawn       = "email.withdrawn"
	EmailChanged         = "email.changed"
	EmailStopped         = "email.stopped"
	AlarmRaised          = "alarm.raised"
	AlarmSettled         = "alarm.settled"
	SignInPassword       = "sign_in.password"
	SignInSecondStep     = "sign_in.second_step"
	SignInCodeTested     = "sign_in.code_tested"
	SignInCompleted      = "sign_in.completed"
	SignInLink           = "sign_in.enrolment_link"
	SignInAbandoned      = "sign_in.abandoned"
	SignInKnown          = "sign_in.known"
	SessionEnded         = "session.ended"
	SessionCodeTested    = "session.code_tested"
	ProofGiven           = "proof.given"
	EnrolmentStarted     = "enrolment.started"
	EnrolmentConfirmed   = "enrolment.confirmed"
	EnrolmentGivenUp     = "enrolment.given_up"
	EnrolmentActivated   = "enrolment.activated"
	AppAdded             = "app.added"
	AppReplaced          = "app.replaced"
	FactorAdded          = "factor.added"
	FactorSuspect        = "factor.suspect"
	FactorRenamed        = "factor.renamed"
	FactorRemoved        = "factor.removed"
	BackupCodesMade      = "backup_codes.made"
	BackupCodesActivated = "backup_codes.activated"
	BackupCodesGivenUp   = "backup_codes.given_up"
	BackupCodesVoided    = "backup_codes.voided"
	Disabled             = "mfa.disabled"
	Reset                = "mfa.reset"
	ResetStopped         = "mfa.reset_stopped"
	LinkRenewed          = "enrolment_link.renewed"
	CodesUnlocked        = "codes.unlocked"
	RequirementSet       = "requirement.set"

	RecoveryAsked         = "recovery.asked"
	RecoveryProved        = "recovery.proved"
	RecoveryApprovalGiven = "recovery.approval_given"
	RecoveryApproved      = "recovery.approved"
	RecoveryLinkRenewed   = "recovery.link_renewed"
	RecoveryRefused       = "recovery.refused"
	RecoveryStopped       = "recovery.stopped"
	RecoveryCancelled     = "recovery.cancelled"
	RecoveryExpired       = "recovery.expired"
	RecoveryCompleted     = "recovery.completed"

	KeyRotated       = "key.rotated"
	KeyRetired       = "key.retired"
	Restored         = "installation.restored"
	RollOutStarted   = "roll_out.started"
	RollOutEnded     = "roll_out.ended"
	ReminderSent     = "reminder.sent"
	MailGivenUp      = "mail.given_up"
	LogExported      = "audit.exported"
	MailTested       = "mail.tested"
	BrandChanged     = "brand.changed"
	AccentChanged    = "accent.changed"
	NewPeopleChanged = "new_people.changed"
	ChecklistChanged = "recovery_checklist.changed"
	KeyKeptElsewhere = "key.kept_elsewhere"
	TicketOpened     = "ticket.opened"
	TicketAnswered   = "ticket.answered"
	TicketSolved     = "ticket.solved"
	TicketReopened   = "ticket.reopened"
)

// ByPasswordLink is the method of what was done by the link for a forgotten password.
const ByPasswordLink = "password_link"

// Event is one security event. Times and ids come from the transaction.
type Event struct {
	Kind      string
	Result    string
	Actor     string // user id; empty when nobody is known
	Subject   string // user id of the person it is about
	Session   string // stable id of the session, or of the pending sign-in before there is one
	Method    string // "password", the kind of factor, or a kind of link
	Reason    string // machine name of the refusal
	Address   string
	Browser   string
	RequestID string
	Data      map[string]any // small facts that the kind defines; of what was sent, the reason of a reset alone
	Quiet     bool           // nobody is told of it by mail; not on record
}

// By starts an event about the caller's own account, done by the caller.
func By(caller web.Caller) Event {
	event := From(caller.Client)
	switch {
	case caller.Session != nil:
		event.Actor, event.Subject, event.Session = caller.Session.UserID, caller.Session.UserID, caller.Session.ID
	case caller.Pending != nil:
		event.Subject, event.Session = caller.Pending.UserID, caller.Pending.ID
	}
	return event
}

// From starts an event of which only the place is known.
func From(client web.Client) Event {
	event := Event{Browser: client.Browser, RequestID: client.RequestID}
	if client.Address.IsValid() {
		event.Address = client.Address.String()
	}
	return event
}

// FromConsole starts an event that nobody caused over HTTP. No browser's label reads like this.
func FromConsole() Event { return Event{Browser: "console"} }

// Is completes an event with what happened and how it ended.
func (e Event) Is(kind, result string) Event {
	e.Kind, e.Result = kind, result
	return e
}

// About completes an event with the person it is about.
func (e Event) About(userID string) Event {
	e.Subject = userID
	return e
}

type row struct {
	bun.BaseModel `bun:"table:events"`

	ID        string           `bun:"id,pk"`
	At        database.Instant `bun:"at"`
	Schema    int              `bun:"schema"`
	Kind      string           `bun:"kind"`
	Result    string           `bun:"result"`
	ActorID   string           `bun:"actor_id,nullzero"`
	SubjectID string           `bun:"subject_id,nullzero"`
	SessionID string           `bun:"session_id,nullzero"`
	Method    string           `bun:"method,nullzero"`
	Reason    string           `bun:"reason,nullzero"`
	Address   string           `bun:"address"`
	Browser   string           `bun:"browser"`
	RequestID string           `bun:"request_id"`
	Data      string           `bun:"data,nullzero"`
}

// Record adds the events to the transaction that does what they record, in their order, and queues the mails that tell
// people of them.
func Record(ctx context.Context, tx database.Tx, events ...Event) error {
	if err := recordAll(ctx, tx, events); err != nil {
		return err
	}
	return notify(ctx, tx, events)
}

func recordAll(ctx context.Context, tx database.Tx, events []Event) error {
	for len(events) > 1 {
		if err := record(ctx, tx, addTwo, events[:2]); err != nil {
			return err
		}
		events = events[2:]
	}
	if len(events) == 0 {
		return nil
	}
	return record(ctx, tx, addOne, events)
}

func record(ctx context.Context, tx database.Tx, statement *database.Statement, events []Event) error {
	args := make([]any, 0, perRow*len(events))
	for _, event := range events {
		var data any
		if len(event.Data) > 0 {
			text, err := json.Marshal(event.Data)
			if err != nil {
				return fmt.Errorf("event %s: %w", event.Kind, err)
			}
			data = string(text)
		}
		args = append(args, tx.NewID(), int64(database.At(tx.Now)), Schema, event.Kind, event.Result,
			orNull(event.Actor), orNull(event.Subject), orNull(event.Session), orNull(event.Method), orNull(event.Reason),
			event.Address, event.Browser, event.RequestID, data)
	}
	if _, err := statement.Exec(ctx, tx, args...); err != nil {
		return fmt.Errorf("event %s: %w", events[0].Kind, err)
	}
	return nil
}

// Every act writes events, and a sign-in two, so these are prepared.
const (
	insert = `INSERT INTO events (id, at, schema, kind, result, actor_id, subject_id, session_id, method, reason,
		address, browser, request_id, data) VALUES `
	perRow = 14
	oneRow = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

var (
	addOne = database.Prepare(insert + oneRow)
	addTwo = database.Prepare(insert + oneRow + ", " + oneRow)
)

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
