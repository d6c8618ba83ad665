"""Simulation: the runtime on a virtual clock, with recorded facts and imagined providers."""

from crmsdk.simulation.report import Report
from crmsdk.simulation.responses import ConstantResponses, NoResponses, Responses
from crmsdk.simulation.running import Simulation
from crmsdk.simulation.simulating import simulate
from crmsdk.simulation.tables import Table

__all__ = ["ConstantResponses", "NoResponses", "Report", "Responses", "Simulation", "Table", "simulate"]
