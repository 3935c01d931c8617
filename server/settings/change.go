package settings

import (
	"context"
	"fmt"
	"strings"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/settings/accent"
	"github.com/secondstep/secondstep/server/web"
)

// longestBrand is as long as a heading of a phone takes it.
const longestBrand = 60

// SettingsChange is what is to be otherwise; nil leaves it as it is.
type SettingsChange struct {
	Brand     *string    `json:"brand,omitempty" maxLength:"240"`
	Accent    *string    `json:"accent,omitempty" maxLength:"20" doc:"As #rrggbb; empty for the product's own. One that people could not read is refused, with the nearest that they can."`
	NewPeople *NewPeople `json:"new_people,omitempty"`
	Checklist *[]string  `json:"recovery_checklist,omitempty" maxItems:"12" doc:"1 to 12 lines of at most 200 characters; none: the client's own words again."`

	checklist string // as it is stored
}

// CheckBrand says what is wrong with a name for the installation.
func CheckBrand(brand string) []problem.Field {
	fields := account.CheckName(brand)
	if len(fields) == 0 && len([]rune(strings.TrimSpace(brand))) > longestBrand {
		fields = []problem.Field{{Code: "too_long", Params: map[string]any{"max": longestBrand}}}
	}
	for n := range fields {
		fields[n].Name = "brand"
	}
	return fields
}

// settle makes what is asked for into what is stored, or says why it can't be.
func (s *Settings) settle(to *SettingsChange) error {
	var wrong []problem.Field
	if to.Brand != nil {
		if s.Dependencies.Brand != "" {
			return ErrBrandFixed
		}
		wrong = append(wrong, CheckBrand(*to.Brand)...)
		brand := strings.TrimSpace(*to.Brand)
		to.Brand = &brand
	}
	if to.Accent != nil && *to.Accent != "" {
		colour, field := checkAccent(*to.Accent)
		if field != nil {
			wrong = append(wrong, *field)
		}
		to.Accent = &colour
	}
	if to.Checklist != nil {
		stored, fields, err := settleChecklist(*to.Checklist)
		if err != nil {
			return err
		}
		to.checklist, wrong = stored, append(wrong, fields...)
	}
	if people := to.NewPeople; people != nil && people.Days != 0 && people.Requirement != account.RequirementRequired {
		wrong = append(wrong, problem.Field{Name: "new_people.days", Code: "without_required"})
	}
	if people := to.NewPeople; people != nil && people.Requirement == account.RequirementOff { // who takes protection away says why (row 58)
		people.Reason = strings.TrimSpace(people.Reason)
		for _, field := range account.CheckReason(people.Reason) {
			field.Name = "new_people.reason"
			wrong = append(wrong, field)
		}
	}
	if len(wrong) > 0 {
		return account.ErrInvalid.For(wrong...)
	}
	return nil
}

func checkAccent(text string) (string, *problem.Field) {
	colour, err := accent.Canonical(text)
	if err != nil {
		return "", &problem.Field{Name: "accent", Code: "colour_invalid"}
	}
	palette, err := accent.Of(colour)
	if err == nil && palette.Passes() {
		return colour, nil
	}
	nearest, err := accent.Nearest(colour)
	if err != nil {
		return "", &problem.Field{Name: "accent", Code: "colour_invalid"}
	}
	return "", &problem.Field{Name: "accent", Code: "contrast_too_low", Params: map[string]any{"nearest": nearest}}
}

// mayAct refuses a caller who is no administrator any more. Whoever
// sets something comes after whoever set something before them.
func mayAct(ctx context.Context, tx database.Tx, caller web.Caller) error {
	if err := account.HoldInstallation(ctx, tx); err != nil {
		return err
	}
	return account.StillAdministrator(ctx, tx, caller)
}

// change changes the settings. All of it is done, or nothing is; what is so already leaves no event.
func (s *Settings) change(ctx context.Context, caller web.Caller, to SettingsChange) error {
	if err := s.settle(&to); err != nil {
		return err
	}
	return s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := mayAct(ctx, tx, caller); err != nil {
			return err
		}
		row, err := read(ctx, tx)
		if err != nil {
			return err
		}
		var events []audit.Event
		changed := func(kind string, data map[string]any) {
			event := audit.By(caller).About("").Is(kind, audit.OK)
			event.Data = data
			events = append(events, event)
		}
		if to.Brand != nil && *to.Brand != s.brand(row) {
			changed(audit.BrandChanged, map[string]any{"from": s.brand(row), "to": *to.Brand})
			row.Brand = *to.Brand
		}
		if to.Accent != nil && *to.Accent != row.Accent {
			changed(audit.AccentChanged, map[string]any{"from": row.Accent, "to": *to.Accent})
			row.Accent = *to.Accent
		}
		if to.Checklist != nil && to.checklist != row.Checklist {
			before, err := row.checklist()
			if err != nil {
				return err
			}
			row.Checklist = to.checklist
			after, err := row.checklist()
			if err != nil {
				return err
			}
			changed(audit.ChecklistChanged, map[string]any{"from": before, "to": after})
		}
		if len(events) > 0 {
			if _, err := tx.NewUpdate().Model(row).Column("brand", "accent", "recovery_checklist").Where("id = 1").Exec(ctx); err != nil {
				return fmt.Errorf("store the settings: %w", err)
			}
		}
		if to.NewPeople != nil {
			before, err := account.ReadStandard(ctx, tx)
			if err != nil {
				return err
			}
			if standard := (account.Standard{Requirement: to.NewPeople.Requirement, Days: to.NewPeople.Days}); standard != before {
				if err := account.SetStandard(ctx, tx, standard); err != nil {
					return err
				}
				data := map[string]any{
					"from": before.Requirement, "from_days": before.Days, "to": standard.Requirement, "to_days": standard.Days,
				}
				if standard.Requirement == account.RequirementOff {
					data["why"] = to.NewPeople.Reason
				}
				changed(audit.NewPeopleChanged, data)
			}
		}
		return audit.Record(ctx, tx, events...)
	})
}
