"""Spiders: one base that knows how a source is crawled, one class per kind of list, and own classes for a few sites.

The loader (`crawler.loader`) makes each configured source a spider class of its own from these.
"""
