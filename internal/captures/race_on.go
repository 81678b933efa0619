//go:build race

package captures

const race = true
