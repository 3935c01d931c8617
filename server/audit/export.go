package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"
)

// Export is a form that events are written in.
type Export interface {
	Write(entry *Entry) error
	// Flush writes what waits to be.
	Flush() error
}

// JSONLines writes an object a line, as the answers have them.
func JSONLines(out io.Writer) Export { return jsonLines{json.NewEncoder(out)} }

type jsonLines struct{ *json.Encoder }

func (j jsonLines) Write(entry *Entry) error { return j.Encode(entry) }

func (jsonLines) Flush() error { return nil }

// CSV writes a row an event, after a row of names, each as Line does.
func CSV(out io.Writer) (Export, error) {
	c := commaSeparated{bufio.NewWriter(out)}
	return c, c.line(
		"id", "at", "schema", "kind", "result", "by", "actor_id", "actor_name", "subject_id", "subject_name", "session_id",
		"method", "reason", "address", "browser", "request_id", "data",
	)
}

type commaSeparated struct{ *bufio.Writer }

func (c commaSeparated) line(cells ...string) error {
	_, err := c.WriteString(Line(cells...))
	return err
}

func (c commaSeparated) Write(e *Entry) error {
	data := ""
	if len(e.Data) > 0 {
		text, err := json.Marshal(e.Data)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		data = string(text)
	}
	return c.line(
		e.ID, e.At.Format(time.RFC3339Nano), strconv.Itoa(e.Schema), e.Kind, e.Result, e.By, e.ActorID, name(e.ActorName), e.SubjectID,
		name(e.SubjectName), e.SessionID, e.Method, e.Reason, e.Address, e.Browser, e.RequestID, data,
	)
}

func name(known *string) string {
	if known == nil {
		return ""
	}
	return *known
}

// Line is a line of a CSV file that spreadsheets open as it is. What begins like a formula gets an apostrophe before it,
// so that nothing is computed; and every cell is in quotes, so that a spreadsheet that parts cells by semicolons finds no
// formula behind a semicolon either.
func Line(cells ...string) string {
	for n, cell := range cells {
		// Full-width signs are formulas to some of them too.
		if first, size := utf8.DecodeRuneInString(cell); size > 0 && strings.ContainsAny(norm.NFKC.String(string(first)), "=+-@\t\r\n") {
			cell = "'" + cell
		}
		cells[n] = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
	}
	return strings.Join(cells, ",") + "\n"
}

// exportPage is how many events are read at once.
const exportPage = 500

// Each gives all events that fit to act, the newest first, page by page, so that any number of them takes no memory.
func (s Search) Each(ctx context.Context, db bun.IDB, people People, act func(entry *Entry) error) error {
	for more := true; more; {
		var err error
		if more, err = s.next(ctx, db, people, act); err != nil {
			return err
		}
	}
	return nil
}

// next gives a page of the events that fit to act, and goes on behind it; false where it was the last.
func (s *Search) next(ctx context.Context, db bun.IDB, people People, act func(entry *Entry) error) (more bool, err error) {
	entries, more, err := s.Find(ctx, db, people, exportPage)
	if err != nil {
		return false, err
	}
	for n := range entries {
		if err := act(&entries[n]); err != nil {
			return false, err
		}
	}
	if more {
		s.Before = entries[len(entries)-1].ID
	}
	return more, nil
}
