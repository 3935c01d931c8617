package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/database"
)

// letter is a mail in words, before it is HTML and plain text.
type letter struct {
	id, to string

	Language, Direction string
	Brand               string
	Subject             string
	Heading             string
	Greeting            string
	Paragraphs          []string
	MessageBy           string
	Message             []string // of an administrator, in their words
	Known               []known  // when, from where
	Closing             []string
	Action, Link        string
	Afterwards          []string
	Footer              []string
}

type known struct{ Label, Value string }

// unasked are the kinds that somebody else brings about, where "this wasn't me" would be no answer.
var unasked = map[Kind]bool{
	CodesVoided: true, RequirementOff: true, RequirementAllowed: true, RequirementRequired: true, RollOut: true, Reminder: true,
	PasswordSet: true, EmailTaken: true, EmailStopped: true, ResetStopped: true,
	RecoveryTold: true, RecoveryRefused: true, RecoveryStopped: true, RecoveryExpired: true, RecoveryDone: true,
}

// support are the kinds that lead an administrator to the tickets.
var support = map[Kind]bool{TicketNew: true, TicketReplied: true}

// keyOf is the key of a ticket in a link to it.
func keyOf(kind Kind, path string) string {
	if kind != TicketProof && kind != TicketAnswered && kind != TicketSolved {
		return ""
	}
	_, fragment, _ := strings.Cut(path, "#token=")
	key, _, _ := strings.Cut(fragment, "&")
	return key
}

// write puts a queued mail into words.
func (m *Mail) write(ctx context.Context, mine *row) (*letter, error) {
	path, err := m.path(mine)
	if err != nil {
		return nil, err
	}
	return m.compose(ctx, mine, path)
}

// compose is write, with the link opened; empty where it is that of every notice.
func (m *Mail) compose(ctx context.Context, mine *row, path string) (*letter, error) {
	told, ok := m.words.Kinds[mine.Kind]
	if !ok {
		return nil, fmt.Errorf("there are no words for mails of kind %s", mine.Kind)
	}
	var facts Facts
	var err error
	if err = json.Unmarshal([]byte(mine.Facts), &facts); err != nil {
		return nil, fmt.Errorf("read the facts of a mail: %w", err)
	}
	number, sentences := mine.Times, told.Text
	if mine.Kind == CodeUsed {
		left, few, err := m.CodesLeft(ctx, mine.UserID)
		if err != nil {
			return nil, err
		}
		number = left
		if few {
			sentences = append(sentences[:len(sentences):len(sentences)], told.Few...)
		}
	}
	if mine.Kind == Reminder && facts.late(mine.At.Time()) {
		sentences = append(sentences[:len(sentences):len(sentences)], told.Late...)
	}
	l := m.letter(m.Brand(ctx), mine, told, sentences, number)
	if facts.RollOut != "" {
		if l.Message, err = m.Message(ctx, facts.RollOut); err != nil {
			return nil, err
		}
	}
	frame := m.words.Frame
	if mine.Name != "" {
		l.Greeting = fill(frame.Greeting, values{"name": mine.Name})
	}
	l.Known = []known{{frame.When, m.words.moment(mine.At.Time())}}
	switch {
	case facts.By == ByAdministrator:
		l.Known = append(l.Known, known{frame.Who, frame.ByAdministrator})
	case facts.By == ByConsole:
		l.Known = append(l.Known, known{frame.Who, frame.ByConsole})
	case facts.Browser == "" || facts.Address == "":
		if place := facts.Browser + facts.Address; place != "" {
			l.Known = append(l.Known, known{frame.Where, oneLine(place)})
		}
	default:
		l.Known = append(l.Known, known{frame.Where, fill(frame.Place, values{"browser": facts.Browser, "address": facts.Address})})
	}
	if facts.Until != nil {
		l.Known = append(l.Known, known{frame.Deadline, m.words.moment(*facts.Until)})
	}
	public := strings.TrimRight(m.Settings.PublicURL.String(), "/")
	security := public + "/parameters/users/me/security"
	switch {
	case support[mine.Kind]:
		l.Action, l.Link = told.Action, public+"/parameters/tickets"
	case path != "":
		if until := mine.GoodUntil.Time(); !until.IsZero() {
			l.Known = append(l.Known, known{frame.Until, m.words.moment(until)})
		}
		l.Action, l.Link, l.Afterwards = told.Action, public+path, []string{told.IfUnexpected}
		if key := keyOf(mine.Kind, path); key != "" { // whoever has no script types both
			l.Known = append(l.Known, known{frame.Reference, facts.Reference}, known{frame.Key, key})
		}
	case unasked[mine.Kind]:
		l.Closing, l.Action, l.Link = []string{frame.IfUnexpected}, frame.Security, security
	default:
		l.Closing, l.Action, l.Link = []string{frame.IfYou, frame.IfNotYou}, frame.NotMe, security+"/not-me"
	}
	why := frame.Why
	if mine.UserID == "" && facts.Reference != "" {
		why = frame.WhyTicket
	}
	l.Footer = append([]string{fill(why, values{"brand": l.Brand, "url": public})}, l.Footer...)
	return l, nil
}

// letter is what every mail has.
func (m *Mail) letter(brand string, mine *row, told told, sentences []counted, number int) *letter {
	with := values{"brand": brand, "count": strconv.Itoa(number)}
	l := &letter{
		id: mine.ID, MessageBy: fill(m.words.Frame.Message, with), to: mine.Address, Language: m.Settings.Language, Direction: m.words.Direction, Brand: brand,
		Subject: fill(told.Subject, with), Heading: fill(told.Heading, with), Footer: []string{m.words.Frame.Never},
	}
	for _, sentence := range sentences {
		l.Paragraphs = append(l.Paragraphs, fill(m.words.of(sentence, number), with))
	}
	return l
}

// late reports whether a deadline has passed, or was none: then it held at once.
func (f *Facts) late(now time.Time) bool { return f.Until == nil || !f.Until.After(now) }

// Shown is how a mail will read.
type Shown struct{ Subject, Text string }

// Show writes a mail to nobody, with a message that is not kept yet; nil where none leaves.
func (m *Mail) Show(ctx context.Context, notice Notice, name string, message []string) (*Shown, error) {
	if !m.Sends() {
		return nil, nil
	}
	facts, err := json.Marshal(notice.Facts)
	if err != nil {
		return nil, fmt.Errorf("the facts of a mail: %w", err)
	}
	l, err := m.compose(ctx, &row{Kind: notice.Kind, Facts: string(facts), Name: name, At: database.At(m.Now())}, "")
	if err != nil {
		return nil, err
	}
	l.Message = message
	plain, _, err := l.render()
	return &Shown{l.Subject, plain}, err
}
