package amplifyhttp_test

import (
	"testing"

	"github.com/amplify-go/amplify/internal/conformance"
)

func routeExceptions(t *testing.T) []conformance.Rule {
	return []conformance.Rule{}
}
