"""The HTTP service as a bare ASGI application. It speaks for the router and decides nothing that the router
could decide.
"""
