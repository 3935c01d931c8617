package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
)

// notify queues mails to the people whom the events are about (security.md row 73). What people are not told of, an
// ordinary sign-in above all, costs nothing here.
func notify(ctx context.Context, tx database.Tx, events []Event) error {
	for n := range events {
		event := &events[n]
		if event.Subject == "" || event.Quiet {
			continue
		}
		if (event.Kind == SignInSecondStep || event.Kind == SignInCodeTested) && event.Result == Refused {
			if err := notifyRefused(ctx, tx, event); err != nil {
				return err
			}
			continue
		}
		if kind := event.told(); kind != "" {
			if err := mail.Queue(ctx, tx, event.notice(kind)); err != nil {
				return err
			}
		}
	}
	return nil
}

// toldOf are the kinds of events that people are told of whatever else is known of them.
var toldOf = map[string]mail.Kind{
	EnrolmentActivated:   mail.TurnedOn,
	Disabled:             mail.TurnedOff,
	AppAdded:             mail.AppAdded,
	AppReplaced:          mail.AppReplaced,
	FactorAdded:          mail.KeyAdded,
	FactorSuspect:        mail.KeySuspect,
	BackupCodesActivated: mail.CodesChanged,
	BackupCodesVoided:    mail.CodesVoided,
	PasswordSet:          mail.PasswordSet,
	AlarmRaised:          mail.AlarmRaised,
	EmailAsked:           mail.EmailAsked,
	EmailChanged:         mail.EmailConfirmed, // the address of before gets a letter of its own
	EmailStopped:         mail.EmailStopped,
	ResetStopped:         mail.ResetStopped,
	ReminderSent:         mail.Reminder,
	RecoveryRefused:      mail.RecoveryRefused,
	RecoveryAsked:        mail.RecoveryTold,
	RecoveryStopped:      mail.RecoveryStopped,
	RecoveryCancelled:    mail.RecoveryCancelled,
	RecoveryExpired:      mail.RecoveryExpired,
	RecoveryCompleted:    mail.RecoveryDone,
}

// told is what the person is told; empty where they need not be.
func (e *Event) told() mail.Kind {
	if e.Result != OK {
		return ""
	}
	switch e.Kind {
	case SignInSecondStep, ProofGiven:
		if e.Method == "backup_code" {
			return mail.CodeUsed
		}
	case SignInCompleted:
		if news, _ := e.Data["new_browser"].(bool); news {
			return mail.NewBrowser
		}
	case PasswordChanged:
		if e.Method == ByPasswordLink {
			return mail.PasswordChosen
		}
		return mail.PasswordChanged
	case FactorRemoved:
		if e.Method == "totp" {
			return mail.AppRemoved
		}
		return mail.KeyRemoved
	case RequirementSet:
		switch e.Data["to"] {
		case "off":
			return mail.RequirementOff
		case "allowed":
			return mail.RequirementAllowed
		case "required":
			if e.Data["roll_out"] != nil { // one mail for it, and that with the message
				return mail.RollOut
			}
			return mail.RequirementRequired
		}
	default:
		return toldOf[e.Kind]
	}
	return ""
}

func (e *Event) notice(kind mail.Kind) mail.Notice {
	return mail.Notice{UserID: e.Subject, Kind: kind, Facts: e.Facts()}
}

// Facts say who did it, and from where, to the person whom it is about. Where an administrator sits is not for everybody.
func (e Event) Facts() mail.Facts {
	facts := mail.Facts{By: mail.BySelf, Browser: e.Browser, Address: e.Address}
	switch {
	case e.Browser == FromConsole().Browser:
		facts = mail.Facts{By: mail.ByConsole}
	case e.Actor != "" && e.Actor != e.Subject:
		facts = mail.Facts{By: mail.ByAdministrator}
	}
	if until, ok := e.Data["deadline"].(time.Time); ok {
		facts.Until = &until
	}
	facts.RollOut, _ = e.Data["roll_out"].(string)
	return facts
}

// Second steps refused in a row, after the right password, of which the third is told: before, it is most likely the
// person (security.md, wrong second steps). An hour later it is another row.
const (
	refusedInARow = 3
	rowWithin     = time.Hour
)

func notifyRefused(ctx context.Context, tx database.Tx, event *Event) error {
	var results []string
	err := tx.NewSelect().Model((*row)(nil)).Column("result").
		Where("subject_id = ? AND id >= ?", event.Subject, database.FirstID(tx.Now.Add(-rowWithin))).
		Where("kind IN (?, ?)", SignInSecondStep, SignInCodeTested).
		Where("EXISTS (SELECT 1 FROM installation WHERE mails)"). // where no mail leaves, there is nothing to look at
		OrderExpr("id DESC").Limit(refusedInARow).Scan(ctx, &results)
	if err != nil {
		return fmt.Errorf("look at the second steps before: %w", err)
	}
	if len(results) < refusedInARow {
		return nil
	}
	for _, result := range results {
		if result == OK {
			return nil
		}
	}
	return mail.QueueRepeated(ctx, tx, event.notice(mail.SecondStepRefused), refusedInARow)
}
