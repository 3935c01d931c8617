package mail

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed words/*.json
var files embed.FS

// Languages are those that there are words in; the first is English, which the others are translated from.
func Languages() []string {
	entries, err := files.ReadDir("words")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	all := []string{source}
	for _, entry := range entries {
		if name := strings.TrimSuffix(entry.Name(), ".json"); name != source {
			all = append(all, name)
		}
	}
	return all
}

const source = "en"

// words are a file of words/: everything that is in a mail and was not made by the installation.
type words struct {
	Direction string        `json:"direction"` // ltr or rtl
	Months    []string      `json:"months"`
	Frame     frame         `json:"frame"`
	Test      told          `json:"test"`
	Kinds     map[Kind]told `json:"kinds"`

	tag language.Tag
}

// frame is what mails have in common.
type frame struct {
	Greeting        string `json:"greeting"`
	Moment          string `json:"moment"`
	When            string `json:"when"`
	Where           string `json:"where"`
	Who             string `json:"who"`
	Until           string `json:"until"`
	Deadline        string `json:"deadline"`
	Message         string `json:"message"`
	Place           string `json:"place"`
	ByAdministrator string `json:"by_administrator"`
	ByConsole       string `json:"by_console"`
	IfYou           string `json:"if_you"`
	IfNotYou        string `json:"if_not_you"`
	NotMe           string `json:"not_me"`
	IfUnexpected    string `json:"if_unexpected"`
	Reference       string `json:"reference"`
	Key             string `json:"key"`
	Security        string `json:"security"`
	Why             string `json:"why"`
	WhyTicket       string `json:"why_ticket"` // to whoever has no account
	Never           string `json:"never"`
}

// told is one kind of mail.
type told struct {
	Subject string    `json:"subject"`
	Heading string    `json:"heading"`
	Text    []counted `json:"text"`
	Few     []counted `json:"few"`  // said besides where few are left
	Late    []counted `json:"late"` // said besides where the deadline has passed

	Action       string `json:"action"` // of a link of its own
	IfUnexpected string `json:"if_unexpected"`
}

// counted is a sentence, or one for each form that the language has for a number.
type counted map[string]string

// UnmarshalJSON reads a sentence that is the same for every number as a plain text.
func (c *counted) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*c = counted{"other": one}
		return nil
	}
	return json.Unmarshal(text, (*map[string]string)(c))
}

var forms = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

func read(name string) (*words, error) {
	text, err := files.ReadFile("words/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("there are no words for mails in %q: there are %s", name, strings.Join(Languages(), ", "))
	}
	w := &words{}
	if err := json.Unmarshal(text, w); err != nil {
		return nil, fmt.Errorf("words/%s.json: %w", name, err)
	}
	if w.tag, err = language.Parse(name); err != nil {
		return nil, fmt.Errorf("words/%s.json: %w", name, err)
	}
	return w, nil
}

// of is the sentence for that number: the one for the number itself, else the one for its form.
func (w *words) of(sentence counted, number int) string {
	if text, ok := sentence[strconv.Itoa(number)]; ok {
		return text
	}
	form := forms[plural.Cardinal.MatchPlural(w.tag, number, 0, 0, 0, 0)]
	if text, ok := sentence[form]; ok {
		return text
	}
	return sentence["other"]
}

// moment is a time as people write it, with its zone.
func (w *words) moment(at time.Time) string {
	at = at.UTC()
	return fill(w.Frame.Moment, values{
		"day": strconv.Itoa(at.Day()), "month": w.Months[at.Month()-1], "year": strconv.Itoa(at.Year()), "time": at.Format("15:04"),
	})
}

type values map[string]string

// fill puts values in the place of their names in braces, each as one line. One with braces in it is not filled again.
func fill(text string, with values) string {
	pairs := make([]string, 0, 2*len(with))
	for name, value := range with {
		pairs = append(pairs, "{"+name+"}", oneLine(value))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
