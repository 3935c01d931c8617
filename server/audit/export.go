package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"
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

// CSV writes a row an event, after a row of names. A cell that a spreadsheet would take for a formula begins with an
// apostrophe.
func CSV(out io.Writer) (Export, error) {
	c := commaSeparated{csv.NewWriter(out)}
	return c, c.Writer.Write([]string{
		"id", "at", "schema", "kind", "result", "by", "actor_id", "actor_name", "subject_id", "subject_name", "session_id",
		"method", "reason", "address", "browser", "request_id", "data",
	})
}

type commaSeparated struct{ *csv.Writer }

func (c commaSeparated) Write(e *Entry) error {
	data := ""
	if len(e.Data) > 0 {
		text, err := json.Marshal(e.Data)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		data = string(text)
	}
	cells := []string{
		e.ID, e.At.Format(time.RFC3339Nano), strconv.Itoa(e.Schema), e.Kind, e.Result, e.By, e.ActorID, name(e.ActorName), e.SubjectID,
		name(e.SubjectName), e.SessionID, e.Method, e.Reason, e.Address, e.Browser, e.RequestID, data,
	}
	for n := range cells {
		cells[n] = harmless(cells[n])
	}
	return c.Writer.Write(cells)
}

func (c commaSeparated) Flush() error {
	c.Writer.Flush()
	return c.Error()
}

func name(known *string) string {
	if known == nil {
		return ""
	}
	return *known
}

// harmless keeps a spreadsheet from computing what somebody has named themself.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// Each gives all events that fit to act, the newest first, page by page, so that any number of them takes no memory.
func (s Search) Each(ctx context.Context, db bun.IDB, people People, act func(entry *Entry) error) error {
	const page = 500
	for {
		entries, more, err := s.Find(ctx, db, people, page)
		if err != nil {
			return err
		}
		for n := range entries {
			if err := act(&entries[n]); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		s.Before = entries[len(entries)-1].ID
	}
}
