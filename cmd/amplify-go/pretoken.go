package main

import (
	"fmt"
	"os"

	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// readPreToken reads what the pre-token hook returns, for every user, from a JSON file.
func readPreToken(path string) (pretoken.Hook, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	response, err := pretoken.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no response of a pre token generation trigger:\n%w", path, err)
	}
	return response.Hook(), nil
}
