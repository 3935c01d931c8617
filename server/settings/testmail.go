package settings

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// testMails are how many test mails leave an installation within an hour, whoever they are for: so none of their
// addresses gets more (security.md row 47).
var testMails = audit.Limit{Kind: audit.MailTested, Most: 5, Within: time.Hour}

// testFor is how long a mail server is waited for. An answer has to be out before a proxy gives up on it.
const testFor = 25 * time.Second

// Tested is what a mail server made of a test mail.
type Tested struct {
	Taken    bool   `json:"taken"`
	TimedOut bool   `json:"timed_out" doc:"The mail server did not answer in time."`
	Said     string `json:"said" doc:"What the mail server answered, word for word, or why it could not be reached; empty where it timed out."`
}

// testMail sends a mail to an address and answers what the mail server said. It is counted before it is sent: of many at
// once no more leave than may.
func (s *Settings) testMail(ctx context.Context, caller web.Caller, address string) (*Tested, error) {
	address = strings.TrimSpace(address)
	if !account.ValidEmail(address) {
		return nil, account.ErrInvalid.For(problem.Field{Name: "address", Code: "email_invalid"})
	}
	if !s.Mail.Sends() {
		return nil, mail.ErrNoServer
	}
	err := s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := mayAct(ctx, tx, caller); err != nil {
			return err
		}
		if err := testMails.RefuseAll(ctx, tx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.By(caller).About("").Is(audit.MailTested, audit.OK))
	})
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, testFor)
	defer cancel()
	said, err := s.Mail.Test(within, address)
	if err == nil {
		return &Tested{Taken: true, Said: said}, nil
	}
	if errors.Is(err, context.DeadlineExceeded) || within.Err() != nil {
		return &Tested{TimedOut: true}, nil
	}
	return &Tested{Said: err.Error()}, nil
}
