// Package feed keeps a connection for pushes that heals itself.
package feed
