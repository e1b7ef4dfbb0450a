// PocketBase with its default settings and one collection, in which anybody may create and list records.
package main

import (
	"log"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func main() {
	app := pocketbase.New()
	app.OnServe().BindFunc(func(event *core.ServeEvent) error {
		event.InstallerFunc = nil // no browser is opened
		calls := core.NewBaseCollection("calls")
		calls.CreateRule = types.Pointer("")
		calls.ListRule = types.Pointer("")
		calls.Fields.Add(&core.TextField{Name: "user", Required: true})
		if err := event.App.Save(calls); err != nil {
			return err
		}
		return event.Next()
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}
