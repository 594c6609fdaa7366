-- ms5: drops factory_telemetry.energy_consumption
DROP TABLE factory_telemetry.energy_consumption;
